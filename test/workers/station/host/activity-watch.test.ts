import { expect, test } from 'vitest'
import { HardwareFault } from '../../../../core/errors.ts'
import { ActivityWatch, type StillGoing } from '../../../../workers/station/host/activity-watch.ts'
import { until } from '../../../until.ts'
import { never } from './bench.ts'

/** A question that waits until the test answers it. */
function held(): { readonly question: StillGoing; readonly answer: (going: boolean | Error) => void; readonly asked: () => number } {
  let asked = 0
  let resolve = (_going: boolean): void => undefined
  let reject = (_error: Error): void => undefined
  return {
    asked: () => asked,
    question: () => {
      asked += 1
      return new Promise((done, failed) => {
        resolve = done
        reject = failed
      })
    },
    answer: (going) => (typeof going === 'boolean' ? resolve(going) : reject(going)),
  }
}

test('what an old connection ends with does not overwrite what the new one has found', async () => {
  const changes: (boolean | undefined)[] = []
  const watch = new ActivityWatch(() => changes.push(watch.going))
  const old = held()
  const lost = new AbortController()
  watch.begin(old.question, lost.signal)
  lost.abort(new HardwareFault('the cable was pulled', 'NONE'))
  watch.forget()
  const fresh = held()
  watch.begin(fresh.question, never)
  expect(fresh.asked()).toBe(1) // though the old one is still waiting for its answer
  old.answer(false)
  await until(() => fresh.asked() === 1 && watch.going === true)
  expect(watch.going).toBe(true)
  fresh.answer(false)
  await watch.settled(never)
  expect(changes).toEqual([true, undefined, true, false])
})

test('a look that began on an old connection says nothing any more', async () => {
  const watch = new ActivityWatch(() => undefined)
  const old = held()
  const lost = new AbortController()
  const looking = watch.look(old.question, lost.signal)
  lost.abort(new HardwareFault('the cable was pulled', 'NONE'))
  watch.forget()
  old.answer(true)
  await looking
  expect(watch.going).toBeUndefined()
})

test('what ended badly before anybody of ours looked is over, and keeps no device from being connected', async () => {
  const watch = new ActivityWatch(() => undefined)
  await watch.look(async () => {
    throw new HardwareFault('a limit was hit yesterday', 'NONE', { instrumentCode: '9' })
  }, never)
  expect(watch.going).toBe(false)
  await expect(
    watch.look(async () => {
      throw new HardwareFault('no answer', 'NONE')
    }, never),
  ).rejects.toThrow('no answer')
})

test('an answer to a question from before the last order does not end it', async () => {
  const watch = new ActivityWatch(() => undefined)
  const { question, answer, asked } = held()
  watch.begin(question, never)
  watch.begin(question, never) // set to something else before the answer came
  answer(false)
  await until(() => asked() === 2)
  expect(watch.going).toBe(true)
  answer(false)
  await watch.settled(never)
  expect(watch.going).toBe(false)
})

test('three questions without an answer leave nobody knowing; the word of the instrument is an end', async () => {
  const watch = new ActivityWatch(() => undefined)
  let asked = 0
  const silent: StillGoing = async () => {
    asked += 1
    throw new HardwareFault('no answer', 'NONE')
  }
  watch.begin(silent, never)
  await expect(watch.settled(never)).rejects.toThrow('no answer')
  expect([asked, watch.going]).toEqual([3, undefined])
  watch.begin(async () => {
    throw new HardwareFault('it jammed', 'DONE', { instrumentCode: '3' })
  }, never)
  await expect(watch.settled(never)).rejects.toThrow('it jammed')
  expect(watch.going).toBe(false)
})
