# The operator, bundled, on a Node without shell, package manager or root.
#   docker build -t ghcr.io/regcred/regcred-operator:dev .
# The same commit on the same base images gives the same layers: packages are taken by the lock file, which has the Node that
# builds as well, and files are dated by SOURCE_DATE_EPOCH. docs/how-to/verify.md has how to build a release again.

# The bundle is the same for every platform, so it is built once, on that of the builder.
FROM --platform=$BUILDPLATFORM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY scripts/build.ts scripts/
COPY src src
COPY LICENSE ./
# The licence with the mode that it has in the image, whatever umask the clone was made with.
RUN npm run build && rm dist/kubectl-regcred.mjs && cp LICENSE dist/ && chmod 644 dist/LICENSE

# No command runs from here on, so that every platform is built without emulating it.
FROM gcr.io/distroless/nodejs24-debian13:nonroot
COPY --from=build /build/dist /app/
ENV NODE_ENV=production
# glibc keeps memory for each of Node's threads, of which one alone works much, and does not give back what it got in pieces
# of up to 128 KiB, as V8's compilers ask for it: 8 MiB each (measured).
ENV MALLOC_ARENA_MAX=1
ENV MALLOC_MMAP_THRESHOLD_=32768
# Numeric, so that the kubelet can tell that it is not root (runAsNonRoot).
USER 65532:65532
# Of the metrics, and of the probes: the kubelet asks /healthz and /readyz (config/manager). There is no HEALTHCHECK, which
# would have to start a second Node each time to ask the same, and which Kubernetes does not look at.
EXPOSE 8443 8081
# SIGUSR1 would open a debugger that hands out every login. The rest is about memory, measured (docs/explanation/scale.md):
# a small young generation, as a fan-out makes much garbage that dies at once; WebAssembly (undici's parser) is not compiled
# a second time, which takes 11 MiB for a moment; and the heap grows by a fifth before it is collected again, not by half and more.
ENTRYPOINT ["/nodejs/bin/node", "--disable-sigusr1", "--max-semi-space-size=4", "--liftoff-only", "--heap-growing-percent=20", "/app/regcred-operator.mjs"]
# What is built, told by who builds it (.github/workflows/image.yml), never by the clock.
ARG VERSION=dev
ARG REVISION=unknown
ARG SOURCE=https://github.com/regcred/regcred-operator
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="regcred-operator" \
      org.opencontainers.image.description="A Kubernetes operator that puts registry credentials where pods need them, and keeps them right." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
