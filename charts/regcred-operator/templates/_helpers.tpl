{{- /*
The labels of every object, as YAML. Takes the root. The first is what selectors go by, so it is the same in every release.
*/}}
{{- define "regcred-operator.labels" -}}
app.kubernetes.io/name: regcred-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{- /*
The objects of a file below files/, as a list in YAML: in the namespace of the release, with the labels of the chart.
`npm run generate` copies these files from config/ and crds/. Takes (list $ "config/rbac/role.yaml").
*/}}
{{- define "regcred-operator.objects" -}}
{{- $root := index . 0 }}
{{- $labels := include "regcred-operator.labels" $root | fromYaml }}
{{- $objects := list }}
{{- range splitList "\n---\n" ($root.Files.Get (printf "files/%s" (index . 1))) }}
{{- $object := fromYaml . }}
{{- $_ := set $object.metadata "labels" (merge (deepCopy $labels) ($object.metadata.labels | default dict)) }}
{{- if $object.metadata.namespace }}{{ $_ := set $object.metadata "namespace" $root.Release.Namespace }}{{ end }}
{{- range $object.subjects }}{{ $_ := set . "namespace" $root.Release.Namespace }}{{ end }}
{{- $objects = append $objects $object }}
{{- end }}
{{- toYaml $objects }}
{{- end }}

{{- /*
A file below files/ as it is to be installed. Takes (list $ "config/rbac/role.yaml").
*/}}
{{- define "regcred-operator.copy" -}}
{{- range include "regcred-operator.objects" . | fromYamlArray }}
---
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /*
The same, of a policy whose first variable is the list of the Secret names that are allowed, in CEL.
*/}}
{{- define "regcred-operator.policy" -}}
{{- $names := (index . 0).Values.secretNames }}
{{- range $object := include "regcred-operator.objects" . | fromYamlArray }}
{{- if hasKey $object.spec "variables" }}
{{- $allowed := first $object.spec.variables }}
{{- if ne $allowed.name "allowed" }}{{ fail (printf "the first variable of %s is not that of the names" $object.metadata.name) }}{{ end }}
{{- $_ := set $allowed "expression" (printf "['%s']" (join "', '" $names)) }}
{{- end }}
---
{{ toYaml $object }}
{{- end }}
{{- end }}
