// What a JavaScript user does with a conversation: prints what came of each step, as JSON.
// node client.mjs BASE_URL ISOLATION_KEY

import OpenAI, { NotFoundError } from 'openai';

const [baseUrl, isolationKey] = process.argv.slice(2);
const client = new OpenAI({
  baseURL: `${baseUrl}/openai/v1`,
  apiKey: 'unused',
  maxRetries: 0,
  defaultHeaders: { 'x-ms-user-isolation-key': isolationKey },
});

const created = await client.conversations.create({ metadata: { topic: 'demo', old: 'yes' } });
const updated = await client.conversations.update(created.id, { metadata: { topic: 'project/x' } });
const retrieved = await client.conversations.retrieve(created.id);
const deleted = await client.conversations.delete(created.id);

const missing = await client.conversations.update(created.id, { metadata: {} }).then(
  () => null,
  (error) => ({
    isNotFoundError: error instanceof NotFoundError,
    status: error.status,
    code: error.code,
    param: error.param,
    type: error.type,
    message: error.message,
    requestId: error.requestID,
  }),
);
const { data, request_id: requestId } = await client.conversations
  .create({})
  .withResponse();

console.log(
  JSON.stringify({ created, updated, retrieved, deleted, missing, empty: data.metadata, requestId }),
);
