# syntax=docker/dockerfile:1

# Compiles; nothing of this stage but dist is kept. The compiler comes as an optional package.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY bin ./bin
COPY src ./src
RUN npm run build

# What runs: no compiler, no tests, and neither of the optional packages, which are an embedded database and a node.
FROM node:24.21.0-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000 LEDGERGATE_WORKER_PORT=9464
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force
COPY bin ./bin
COPY --from=build /app/dist ./dist
# By number, so that an orchestrator can see that it is not root. Nothing below /app is written to.
USER 1000:1000
EXPOSE 4000 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 CMD ["node", "bin/healthcheck.mjs"]
CMD ["node", "dist/main.js"]
