import { testConfig } from '@bambochat/testing/vitest';

export default testConfig();
