# Builds the operator's image:
#
#   docker buildx build --platform linux/amd64,linux/arm64 --build-arg VERSION=v0.1.0 .
#
# With --build-arg BINARY=prebuilt it uses prebuilt binaries in bin/image/<os>-<arch>/, as hack/image.sh and the release workflow do, and
# pulls no image.
ARG BINARY=compiled
# The binary contains everything that it needs, including the certificates of public authorities (docs/decisions). Any other base image
# also works, such as gcr.io/distroless/static:nonroot.
ARG BASE=scratch

FROM --platform=$BUILDPLATFORM golang:1.26.11 AS compiled
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH VERSION
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/go/build \
    GOCACHE=/go/build GOOS=$TARGETOS GOARCH=$TARGETARCH hack/build.sh /manager

FROM scratch AS prebuilt
ARG TARGETOS TARGETARCH
COPY bin/image/${TARGETOS}-${TARGETARCH}/manager /manager

FROM ${BINARY} AS binary

FROM ${BASE}
ARG VERSION=development REVISION=unknown
LABEL org.opencontainers.image.title="lambdatest-operator" \
      org.opencontainers.image.description="Manages the users of a LambdaTest organization from Kubernetes and from identity providers" \
      org.opencontainers.image.url="https://github.com/lambdatest-operator/lambdatest-operator" \
      org.opencontainers.image.source="https://github.com/lambdatest-operator/lambdatest-operator" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=binary --chmod=0555 /manager /manager
# A number, so that the kubelet can check that the user is not root.
USER 65532:65532
ENTRYPOINT ["/manager"]
