import { useEffect, useRef } from 'react'
import { pixelAt, toSensor } from '../../model/picture-geometry.ts'
import styles from './camera.module.css'
import type { Display } from './display.ts'

/** The pixel under the pointer, of the frame that is shown. It changes with every frame, so it is written past React. */
export function Readout({ display }: { display: Display }) {
  const line = useRef<HTMLParagraphElement>(null)
  useEffect(() => {
    const write = () => {
      const element = line.current
      if (element === null) return
      const pixel = pixelUnder(display)
      element.dataset['pixel'] = pixel === undefined ? '' : `${pixel.x},${pixel.y}`
      element.dataset['count'] = pixel === undefined ? '' : String(pixel.count)
      element.dataset['sequence'] = pixel === undefined ? '' : String(pixel.sequence)
      const [place, count] = element.children
      if (place === undefined || count === undefined) return
      place.textContent = pixel === undefined ? 'Point at a pixel to read it' : `x ${pixel.x}  y ${pixel.y}`
      count.textContent = pixel === undefined ? '' : `${pixel.count} counts`
    }
    write()
    const stops = [display.onDrawn(write), display.pointer.subscribe(write)]
    return () => {
      for (const stop of stops) stop()
    }
  }, [display])
  return (
    <p ref={line} className={styles.readout} data-readout>
      <span />
      <strong />
    </p>
  )
}

function pixelUnder(display: Display): { x: number; y: number; count: number; sequence: number } | undefined {
  const frame = display.frame
  const pointer = display.pointer.get()
  if (frame === undefined || pointer === undefined) return undefined
  const at = toSensor(display.place.get().viewport, pointer)
  const pixel = pixelAt(frame, at)
  if (pixel === undefined) return undefined
  const count = frame.pixels[pixel.row * frame.width + pixel.column] ?? 0
  return { x: Math.floor(at.x), y: Math.floor(at.y), count, sequence: frame.sequence }
}
