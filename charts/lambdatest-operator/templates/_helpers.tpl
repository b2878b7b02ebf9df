{{- define "lambdatest-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- /* Names of objects: the name of the release, followed by the name of the chart unless the release name contains it. */ -}}
{{- define "lambdatest-operator.fullname" -}}
{{- $name := include "lambdatest-operator.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 45 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- /* Names of cluster-wide objects: several operators may run in one cluster if each watches its own namespaces. */ -}}
{{- define "lambdatest-operator.clusterName" -}}
{{- if .Values.watchNamespaces }}
{{- printf "%s-%s" (include "lambdatest-operator.fullname" .) .Release.Namespace }}
{{- else }}
{{- include "lambdatest-operator.fullname" . }}
{{- end }}
{{- end }}

{{- define "lambdatest-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "lambdatest-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "lambdatest-operator.labels" -}}
{{ include "lambdatest-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "lambdatest-operator.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default (printf "v%s" .Chart.AppVersion) .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "lambdatest-operator.serviceAccount" -}}
{{- default (include "lambdatest-operator.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{- /* The user names of the operator and of the tool that restores backups, at the API server. */ -}}
{{- define "lambdatest-operator.account" -}}
{{- printf "system:serviceaccount:%s:%s" .Release.Namespace (include "lambdatest-operator.serviceAccount" .) }}
{{- end }}
{{- define "lambdatest-operator.restoreAccount" -}}
{{- default (printf "system:serviceaccount:%s:lambdatest-restore" .Release.Namespace) .Values.admissionPolicy.restoreAccount }}
{{- end }}

{{- /* Whether a setting is on whose default is: on if the operator watches all namespaces. */ -}}
{{- define "lambdatest-operator.metrics" -}}
{{- if kindIs "bool" .Values.metrics.enabled }}{{ ternary "on" "" .Values.metrics.enabled }}{{ else if not .Values.watchNamespaces }}on{{ end }}
{{- end }}
{{- define "lambdatest-operator.aggregatedRoles" -}}
{{- if kindIs "bool" .Values.rbac.aggregatedRoles }}{{ ternary "on" "" .Values.rbac.aggregatedRoles }}{{ else if not .Values.watchNamespaces }}on{{ end }}
{{- end }}

{{- define "lambdatest-operator.scimPort" -}}
{{- default (ternary 443 80 .Values.scim.tls.enabled) .Values.scim.service.port }}
{{- end }}
{{- define "lambdatest-operator.scimTLSSecret" -}}
{{- default (printf "%s-scim-tls" (include "lambdatest-operator.fullname" .)) .Values.scim.tls.secretName }}
{{- end }}

{{- define "lambdatest-operator.subjects" -}}
- kind: ServiceAccount
  name: {{ include "lambdatest-operator.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}
