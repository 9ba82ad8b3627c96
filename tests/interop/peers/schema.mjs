// The collections of tests/interop/schema.py, as the TypeScript library declares them.
import { createStateSchema } from '@durable-streams/state'
import { z } from 'zod'

const note = z.object({
  id: z.string(),
  title: z.string(),
  status: z.enum(['open', 'done']),
  createdAt: z.iso.datetime(),
  due: z.iso.datetime().nullable(),
  label: z.string().optional(),
  remark: z.string().nullish(),
  author: z.object({
    name: z.string(),
    address: z.object({ city: z.string(), lines: z.array(z.string()) }).nullable(),
  }),
  tags: z.array(z.string()),
  steps: z.array(z.object({ text: z.string(), done: z.boolean() })),
  scores: z.record(z.string(), z.number()),
})

const counter = z.object({
  number: z.int(),
  amount: z.int(),
  owner: z.string().optional(),
})

export const schema = createStateSchema({
  notes: { schema: note, type: 'note', primaryKey: 'id' },
  counters: { schema: counter, type: 'counter', primaryKey: 'number' },
})

export const collectionOfType = Object.fromEntries(
  Object.entries(schema).map(([name, collection]) => [collection.type, name]),
)
