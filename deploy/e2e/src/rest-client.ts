const DEADLINE = 30_000;

export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; text that is no JSON; undefined for an empty body. */
  readonly body: unknown;
}

export interface RestRequest {
  readonly token?: string | undefined;
  readonly query?: Readonly<Record<string, string | number>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, with the content type of JSON; for what JSON.stringify would never make. */
  readonly raw?: string;
}

/** One request over HTTP. Never rejects for a status. @throws when the connection fails */
export async function request(
  baseUrl: string,
  method: string,
  path: string,
  { token, query, json, raw }: RestRequest = {},
): Promise<RestAnswer> {
  const url = new URL(path, baseUrl);
  for (const [name, value] of Object.entries(query ?? {})) {
    url.searchParams.set(name, String(value));
  }
  const body = raw ?? (json === undefined ? undefined : JSON.stringify(json));
  const response = await fetch(url, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body }),
    redirect: 'manual',
    signal: AbortSignal.timeout(DEADLINE),
  });
  return { status: response.status, headers: response.headers, body: parse(await response.text()) };
}

function parse(text: string): unknown {
  if (text === '') {
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
