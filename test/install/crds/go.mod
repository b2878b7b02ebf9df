// CRDs of other projects, of which config/ and the chart have resources; specs install them. Only the modules' files are read, nothing
// is compiled: what those modules need in turn is neither listed nor downloaded, and go mod tidy has no place here.
module github.com/lambdatest-operator/lambdatest-operator/test/install/crds

go 1.26.0

require (
	github.com/cert-manager/cert-manager v1.21.2
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/gateway-api v1.6.3
)
