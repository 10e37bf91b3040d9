// Resend's own Node SDK, unchanged, against a served backend: node resend_sdk.mjs KEY URL SDK_FOLDER
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

const [key, baseUrl, folder] = process.argv.slice(2)
const { Resend } = createRequire(`${folder}/`)('resend')
const resend = new Resend(key, { baseUrl })
const from = 'Northwind <notify@northwind.example>'
const mail = (more) => ({ from, to: 'ann@customers.example', subject: 'Hi', text: 'x', ...more })
const ok = ({ data, error }) => {
  assert.equal(error, null, JSON.stringify(error))
  return data
}

const first = ok(await resend.emails.send(mail(), { idempotencyKey: 'node-once' }))
const again = ok(await resend.emails.send(mail(), { idempotencyKey: 'node-once' }))
assert.equal(first.id, again.id)
const conflict = await resend.emails.send(mail({ subject: 'o' }), { idempotencyKey: 'node-once' })
assert.equal(conflict.error.name, 'invalid_idempotent_request')

const strict = await resend.batch.send([mail(), mail({ to: 'nonsense' })])
assert.match(strict.error.message, /nonsense/)
const pair = ok(await resend.batch.send([mail(), mail({ subject: '2' })]))
assert.equal(pair.data.length, 2)
const partly = ok(
  await resend.batch.send([mail(), mail({ to: 'nonsense' })], { batchValidation: 'permissive' }),
)
assert.equal(partly.data.length, 1)
assert.equal(partly.errors[0].index, 1)

assert.equal(ok(await resend.emails.get(first.id)).id, first.id)
assert.equal(ok(await resend.emails.list({ limit: 1 })).data.length, 1)
const later = ok(await resend.emails.send(mail({ scheduledAt: 'in 1 hour' })))
assert.equal(ok(await resend.emails.cancel(later.id)).id, later.id)
assert.equal(ok(await resend.emails.get(later.id)).last_event, 'canceled')

const held = ok(await resend.suppressions.add({ email: 'node@customers.example' }))
assert.equal(ok(await resend.suppressions.get('node@customers.example')).id, held.id)
assert.ok(ok(await resend.suppressions.list()).data.some((one) => one.id === held.id))
ok(await resend.suppressions.remove('node@customers.example'))

const made = ok(
  await resend.templates.create({
    name: 'Node',
    subject: 'Hi {{{NAME}}}',
    html: '<p>{{{NAME}}}</p>',
    from,
    variables: [{ key: 'NAME', type: 'string' }],
  }),
)
ok(await resend.templates.publish(made.id))
const filled = { to: 'ann@customers.example', template: { id: made.id, variables: { NAME: 'A&B' } } }
const sent = ok(await resend.emails.send(filled))
assert.equal(ok(await resend.emails.get(sent.id)).subject, 'Hi A&B')
ok(await resend.templates.remove(made.id))

const wrong = await new Resend('rly_wrong', { baseUrl }).emails.send(mail())
assert.equal(wrong.error.name, 'invalid_api_key')
const absent = await resend.emails.get('msg_nothing')
assert.equal(absent.error.name, 'not_found')
console.log('ok')
