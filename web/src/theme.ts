import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core'

/** The trace on the smoked drum. Mantine asks for ten shades; the tokens in theme.css decide what is seen. */
const trace: MantineColorsTuple = ['#fff6e3', '#fdeac3', '#f9d68d', '#f5c264', '#f0b44c', '#dd9a25', '#b87a12', '#8f5c06', '#754b05', '#5a3a04']

export const theme = createTheme({
  primaryColor: 'trace',
  primaryShade: { light: 7, dark: 4 },
  colors: { trace },
  autoContrast: true,
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  defaultRadius: 6,
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    TextInput: { defaultProps: { size: 'sm' } },
    NumberInput: { defaultProps: { size: 'sm', hideControls: true, allowedDecimalSeparators: ['.', ','] } },
    Select: { defaultProps: { size: 'sm', checkIconPosition: 'right', allowDeselect: false, comboboxProps: { shadow: 'md' } } },
    MultiSelect: { defaultProps: { size: 'sm', comboboxProps: { shadow: 'md' } } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    Tooltip: { defaultProps: { openDelay: 400, withArrow: false } },
  },
})

/** Mantine's own surfaces take the tokens of theme.css, so that there is one palette. */
export const cssVariables: CSSVariablesResolver = () => {
  const tokens = {
    '--mantine-color-body': 'var(--surface)',
    '--mantine-color-text': 'var(--ink)',
    '--mantine-color-dimmed': 'var(--ink-3)',
    '--mantine-color-placeholder': 'var(--ink-3)',
    '--mantine-color-default': 'var(--well)',
    '--mantine-color-default-hover': 'var(--raised)',
    '--mantine-color-default-color': 'var(--ink)',
    '--mantine-color-default-border': 'var(--edge)',
    '--mantine-color-error': 'var(--bad)',
    '--mantine-color-anchor': 'var(--accent)',
    '--mantine-color-disabled': 'var(--well)',
    '--mantine-color-disabled-color': 'var(--ink-3)',
  }
  return { variables: {}, light: tokens, dark: tokens }
}
