# The operator, bundled, on a Node without shell, package manager or root.
#   docker build -t ghcr.io/regcred/regcred-operator:dev .

# The bundle is the same for every platform, so it is built once, on that of the builder.
FROM --platform=$BUILDPLATFORM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY scripts/build.ts scripts/
COPY src src
RUN npm run build

FROM gcr.io/distroless/nodejs24-debian13:nonroot
LABEL org.opencontainers.image.title="regcred-operator" \
      org.opencontainers.image.description="A Kubernetes operator that puts registry credentials where pods need them, and keeps them right." \
      org.opencontainers.image.licenses="Apache-2.0"
COPY LICENSE /app/
COPY --from=build /build/dist /app/
ENV NODE_ENV=production
# glibc keeps memory for each of Node's threads, of which one alone works much: 8 MiB more than with this (measured).
ENV MALLOC_ARENA_MAX=1
# Numeric, so that the kubelet can tell that it is not root (runAsNonRoot).
USER 65532:65532
EXPOSE 8443 8081
# SIGUSR1 would open a debugger that hands out every login. A small young generation: a fan-out makes much garbage that dies
# at once, and V8 would let it grow by tens of MiB.
ENTRYPOINT ["/nodejs/bin/node", "--disable-sigusr1", "--max-semi-space-size=2", "/app/regcred-operator.mjs"]
