import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const API = 'http://127.0.0.1:4000' // of `npm start`, for `vite web` beside it

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  plugins: [react()],
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2023',
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'uplot', test: /node_modules\/uplot/ },
            { name: 'react', test: /node_modules\/(react|react-dom|scheduler)\// },
            { name: 'mantine', test: /node_modules\/@(mantine|floating-ui)\// },
            { name: 'graphql', test: /node_modules\/(graphql|graphql-ws|urql|@urql|wonka|gql\.tada|@0no-co)\// },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      '/graphql': { target: API, ws: true },
      '/frames': { target: API, ws: true },
      '/files': API,
      '/stop': API,
    },
  },
})
