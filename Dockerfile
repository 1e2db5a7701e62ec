# The built lab: every process of it starts from this image. See docker-compose.yml.
FROM node:22-bookworm AS build
WORKDIR /kymograph
COPY . .
RUN node start.mjs --prepare && npm prune --omit=dev --no-audit --no-fund

FROM node:22-bookworm-slim
WORKDIR /kymograph
COPY --from=build /kymograph/package.json ./
COPY --from=build /kymograph/node_modules ./node_modules
COPY --from=build /kymograph/native/build/Release/*.node /kymograph/native/build/Release/*.so ./native/build/Release/
COPY --from=build /kymograph/dist ./dist
# Which commit runs is part of every manifest: KYMOGRAPH_COMMIT="$(git rev-parse HEAD)" docker compose build
ARG KYMOGRAPH_COMMIT=
ENV KYMOGRAPH_COMMIT=$KYMOGRAPH_COMMIT NODE_ENV=production
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
CMD ["node", "dist/api/main.js"]
