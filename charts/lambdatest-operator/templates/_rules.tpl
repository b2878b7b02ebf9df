{{- /* Generated from config/rbac by hack/chart. Do not edit: run make generate. */ -}}

{{- define "lambdatest-operator.rules.namespaced" -}}
- apiGroups:
  - ""
  resources:
  - namespaces
  verbs:
  - get
- apiGroups:
  - ""
  resources:
  - secrets
  verbs:
  - create
  - get
  - list
  - watch
- apiGroups:
  - events.k8s.io
  resources:
  - events
  verbs:
  - create
  - patch
- apiGroups:
  - iam.lambdatest.io
  resources:
  - lambdatestgroups
  - lambdatestusers
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - update
  - watch
- apiGroups:
  - iam.lambdatest.io
  resources:
  - lambdatestgroups/status
  - lambdatestorganizations/status
  - lambdatestusers/status
  verbs:
  - patch
- apiGroups:
  - iam.lambdatest.io
  resources:
  - lambdatestorganizations
  verbs:
  - get
  - list
  - patch
  - watch
- apiGroups:
  - iam.lambdatest.io
  resources:
  - lambdatestorganizations/finalizers
  verbs:
  - update
{{- end }}

{{- define "lambdatest-operator.rules.cluster" -}}
- apiGroups:
  - apiextensions.k8s.io
  resources:
  - customresourcedefinitions
  verbs:
  - get
{{- end }}

{{- define "lambdatest-operator.rules.leaderElection" -}}
- apiGroups:
  - coordination.k8s.io
  resources:
  - leases
  verbs:
  - create
- apiGroups:
  - coordination.k8s.io
  resourceNames:
  - lambdatest-operator
  resources:
  - leases
  verbs:
  - get
  - update
{{- end }}

{{- define "lambdatest-operator.rules.metricsAuth" -}}
- apiGroups:
  - authentication.k8s.io
  resources:
  - tokenreviews
  verbs:
  - create
- apiGroups:
  - authorization.k8s.io
  resources:
  - subjectaccessreviews
  verbs:
  - create
{{- end }}

{{- define "lambdatest-operator.rules.metricsReader" -}}
- nonResourceURLs:
  - /metrics
  verbs:
  - get
{{- end }}

{{- define "lambdatest-operator.rules.view" -}}
- apiGroups:
  - iam.lambdatest.io
  resources:
  - lambdatestorganizations
  - lambdatestusers
  - lambdatestgroups
  verbs:
  - get
  - list
  - watch
{{- end }}

{{- define "lambdatest-operator.rules.edit" -}}
- apiGroups:
  - iam.lambdatest.io
  resources:
  - lambdatestusers
  - lambdatestgroups
  verbs:
  - create
  - update
  - patch
  - delete
  - deletecollection
{{- end }}

{{- define "lambdatest-operator.rules.admin" -}}
- apiGroups:
  - iam.lambdatest.io
  resources:
  - lambdatestorganizations
  verbs:
  - create
  - update
  - patch
  - delete
  - deletecollection
{{- end }}
