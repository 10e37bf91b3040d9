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

const file = { filename: 'a.txt', content: 'YWJj' }
const whole = ok(await resend.emails.send(mail({ html: '<p>x</p>', attachments: [file] })))
const read = ok(await resend.emails.get(whole.id))
assert.deepEqual([read.html, read.text, read.subject], ['<p>x</p>', 'x', 'Hi'])
const files = ok(await resend.emails.attachments.list({ emailId: whole.id })).data
const one = ok(await resend.emails.attachments.get({ emailId: whole.id, id: files[0].id }))
assert.deepEqual([one.filename, one.size], ['a.txt', 3])
assert.deepEqual(ok(await resend.emails.receiving.list()).data, [])
assert.equal((await resend.emails.receiving.get('inb_none')).error.name, 'not_found')
assert.equal(
  (await resend.emails.receiving.attachments.get({ emailId: 'inb_none', id: '0' })).error.name,
  'not_found',
)

const narrow = ok(await resend.apiKeys.create({ name: 'node', permission: 'sending_access' }))
ok(await resend.apiKeys.update(narrow.id, { name: 'renamed' }))
assert.ok(ok(await resend.apiKeys.list()).data.some((key) => key.name === 'renamed'))
const small = new Resend(narrow.token, { baseUrl })
assert.equal((await small.emails.list()).error.name, 'restricted_api_key')
ok(await resend.apiKeys.remove(narrow.id))

const domain = ok(await resend.domains.create({ name: 'mail.node.example' }))
ok(await resend.domains.update({ id: domain.id, capabilities: { receiving: 'enabled' } }))
ok(await resend.domains.verify(domain.id))
assert.equal(ok(await resend.domains.get(domain.id)).capabilities.receiving, 'enabled')
assert.ok(ok(await resend.domains.list()).data.some((one) => one.id === domain.id))
ok(await resend.domains.remove(domain.id))

const hook = ok(
  await resend.webhooks.create({ endpoint: 'https://hooks.customers.example/n', events: ['email.sent'] }),
)
ok(await resend.webhooks.update(hook.id, { events: ['email.bounced'] }))
assert.deepEqual(ok(await resend.webhooks.get(hook.id)).events, ['email.bounced'])
assert.ok(ok(await resend.webhooks.list()).data.some((one) => one.id === hook.id))
ok(await resend.webhooks.remove(hook.id))

const pile = await resend.suppressions.batch.add({ emails: ['p@customers.example'] })
assert.equal(ok(pile).data.length, 1)
ok(await resend.suppressions.batch.remove({ emails: ['p@customers.example'] }))
const moved = ok(await resend.emails.send(mail({ scheduledAt: 'in 1 hour' })))
ok(await resend.emails.update({ id: moved.id, scheduledAt: 'in 2 hours' }))
const copied = ok(
  await resend.templates.create({ name: 'Node 2', subject: 'S', html: '<p>x</p>', from }),
)
const copy = ok(await resend.templates.duplicate(copied.id))
ok(await resend.templates.update(copy.id, { name: 'Node 3' }))
assert.equal(ok(await resend.templates.get(copy.id)).name, 'Node 3')
assert.ok(ok(await resend.templates.list({ limit: 5 })).data.length >= 2)

const wrong = await new Resend('rly_wrong', { baseUrl }).emails.send(mail())
assert.equal(wrong.error.name, 'invalid_api_key')
const absent = await resend.emails.get('msg_nothing')
assert.equal(absent.error.name, 'not_found')
console.log('ok')
