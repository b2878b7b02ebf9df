# Builds the operator's image. To package a binary that is built already (bin/manager):
#   docker build --build-arg BINARY=prebuilt .
ARG BINARY=compiled

FROM --platform=$BUILDPLATFORM golang:1.26 AS compiled
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags "-s -w" -o /manager .

FROM scratch AS prebuilt
COPY bin/manager /manager

FROM ${BINARY} AS binary

# Certificates of public authorities, which LambdaTest's is signed by, and no shell.
FROM gcr.io/distroless/static:nonroot
LABEL org.opencontainers.image.title="lambdatest-operator" \
      org.opencontainers.image.description="Manages the users of a LambdaTest organization from Kubernetes and from identity providers" \
      org.opencontainers.image.source="https://github.com/lambdatest-operator/lambdatest-operator" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=binary /manager /manager
USER 65532:65532
ENTRYPOINT ["/manager"]
