/** Limits so high that no case meets them by accident, and password hashes that cost little. */
export const raisedLimits = {
  CONNECT_RATE: '100000',
  CONNECT_BURST: '1000000',
  MESSAGE_RATE: '100000',
  MESSAGE_BURST: '1000000',
  TYPING_RATE: '100000',
  TYPING_BURST: '1000000',
  REQUEST_RATE: '100000',
  REQUEST_BURST: '1000000',
  AUTH_REQUESTS_PER_ADDRESS: '1000000',
  LOGIN_FAILURES_PER_ACCOUNT: '1000000',
  PASSWORD_SCRYPT_COST: '14',
};
