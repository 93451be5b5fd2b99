// @openai/agents with its OpenAIConversationsSession: prints what the scripted model was asked, and
// what the session holds. node agents.mjs BASE_URL ISOLATION_KEY

import { Agent, OpenAIConversationsSession, Runner, tool } from '@openai/agents';
import { ScriptedModel, assistantMessage, functionCall } from '@openai/agents/testing';
import OpenAI from 'openai';
import { z } from 'zod';

const [baseUrl, isolationKey] = process.argv.slice(2);
const client = new OpenAI({
  baseURL: `${baseUrl}/openai/v1`,
  apiKey: 'unused',
  maxRetries: 0,
  defaultHeaders: { 'x-ms-user-isolation-key': isolationKey },
});
const weather = tool({
  name: 'weather',
  description: 'The weather in a city.',
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => `4 degrees in ${city}`,
});
const reasoning = {
  type: 'reasoning',
  id: 'rs_68af00',
  content: [{ type: 'input_text', text: 'Thought' }],
  providerData: { encrypted_content: 'gAAAAABo' },
};
const runner = new Runner({ tracingDisabled: true });

function sessionOf(conversationId) {
  return new OpenAIConversationsSession({ client, conversationId });
}

async function turn(session, text, ...steps) {
  const model = new ScriptedModel(steps);
  const agent = new Agent({ name: 'Assistant', model, tools: [weather] });
  const { finalOutput } = await runner.run(agent, text, { session });
  model.assertComplete();
  return { finalOutput, asked: model.lastCall.request.input };
}

const first = sessionOf();
const tools = await turn(
  first,
  'How is it in Oslo?',
  [reasoning, functionCall('weather', { city: 'Oslo' }, { callId: 'call_1' })],
  [assistantMessage('It is cold.')],
);
const conversationId = first.sessionId;
// As another process would: only the id is kept.
const again = await turn(sessionOf(conversationId), 'Which city?', [assistantMessage('Oslo.')]);

const calls = Array.from({ length: 26 }, (_, n) =>
  functionCall('weather', { city: `${n}` }, { callId: `call_many_${n}` }),
);
const long = sessionOf();
await turn(long, 'Everywhere?', calls, [assistantMessage('Cold.')]);
const longItems = await long.getItems();
const latest = await long.getItems(2);

const popped = [await long.popItem(), await long.popItem()];
const left = (await long.getItems()).length;
const clearedId = long.sessionId;
await long.clearSession();
const afterClear = await long.getItems();

const shared = await sessionOf().getSessionId();
const pair = [sessionOf(shared), sessionOf(shared)];
const user = (content) => ({ role: 'user', content });
await Promise.all(
  pair.flatMap((session, who) =>
    [0, 1, 2, 3, 4].map((n) =>
      session.addItems([user(`${who}.${n}`), user(`${who}.${n}`)]),
    ),
  ),
);
const seen = await Promise.all(pair.map((session) => session.getItems()));

console.log(
  JSON.stringify({
    conversationId,
    tools,
    again,
    longItems,
    latest,
    popped,
    left,
    clearedId,
    afterClear,
    seen,
  }),
);
