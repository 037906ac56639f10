// The mock of aimock: vendors' APIs as another project understands them.
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const { LLMock } = require('@copilotkit/aimock');
const mock = new LLMock({ port: 0, host: '127.0.0.1' });
mock.onMessage(/./, { content: '您好，优惠券在结算页使用。' });
console.log(await mock.start());
process.stdin.resume().on('end', () => process.exit());
