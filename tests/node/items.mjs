// What a JavaScript user does with items and lists: prints what came of each step, as JSON.
// node items.mjs BASE_URL ISOLATION_KEY ITEMS: creates ITEMS (JSON), reads them in every way.

import OpenAI from 'openai';

const [baseUrl, isolationKey, sent] = process.argv.slice(2);
const client = new OpenAI({
  baseURL: `${baseUrl}/openai/v1`,
  apiKey: 'unused',
  maxRetries: 0,
  defaultHeaders: { 'x-ms-user-isolation-key': isolationKey },
});
const { conversations } = client;
const { items } = conversations;

async function all(list) {
  const found = [];
  for await (const item of list) found.push(item);
  return found;
}

async function refusal(call) {
  try {
    await call;
  } catch (error) {
    return { kind: error.constructor.name, status: error.status, code: error.code, param: error.param };
  }
  throw new Error('it was not refused');
}

const conversation = await conversations.create({ items: [], metadata: { topic: 'a&b' } });
const id = conversation.id;
const created = await items.create(id, { items: JSON.parse(sent) });
const ascending = await all(items.list(id, { order: 'asc', limit: 4 }));
const newest = await items.list(id);
const withInclude = await all(
  items.list(id, {
    order: 'asc',
    include: ['reasoning.encrypted_content', 'code_interpreter_call.outputs'],
  }),
);
const retrieved = [];
for (const item of ascending) {
  retrieved.push(await items.retrieve(item.id, { conversation_id: id }));
}
const found = await client.get('/conversations', { query: { 'metadata[topic]': 'a&b' } });
const notFound = await client.get('/conversations', { query: { 'metadata[topic]': 'a' } });
const deleted = await items.delete(ascending[0].id, { conversation_id: id });
const missing = await refusal(items.retrieve(ascending[0].id, { conversation_id: id }));
const wrong = await refusal(items.create(id, { items: [{ type: 'program' }] }));
const { data: raw, response } = await conversations.retrieve(id).withResponse();
const etag = response.headers.get('etag');
const updated = await conversations.update(
  id,
  { metadata: { n: '1' } },
  { headers: { 'If-Match': etag } },
);
const late = await refusal(
  conversations.update(id, { metadata: { n: '2' } }, { headers: { 'If-Match': etag } }),
);

console.log(
  JSON.stringify({
    conversation,
    created,
    ascending,
    newest: { ids: newest.data.map((item) => item.id), more: newest.hasNextPage() },
    withInclude,
    retrieved,
    found,
    notFound,
    deleted,
    missing,
    wrong,
    raw,
    updated,
    late,
  }),
);
