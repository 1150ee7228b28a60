/** The tables of registrycredentials.test.ts: specs that are refused, with the words that say why, and specs that are not. */
import { acceptedAwsSpecs, wrongAwsSpecs } from './aws-cases.ts'

const source = { secretRef: { name: 'dockerhub' } }
/** For the sources that do not say what their login is for. */
const registries = ['europe-docker.pkg.dev']
const vaultPath = { url: 'https://vault.example.com:8200', path: 'registry/dockerhub' }
const vault = { ...vaultPath, secretRef: { name: 'vault' } }
const byRole = { role: 'puller', serviceAccountName: 'vault-reader' }
const vaultByRole = { ...vaultPath, kubernetes: byRole }
const tokenExchange = {
  issuer: 'https://sts.example.com/realms/acme',
  serviceAccountName: 'sts-client',
  username: 'oauth2accesstoken',
}

export interface Case {
  what: string
  spec: object | undefined
  name?: string
}

export interface Wrong extends Case {
  /** Path as the API server names it. */
  field: string
  /** Part of the sentence: field and cure. */
  says: string
}

const required = 'Required value'

/** Sources with every field, and what a case changes of them; undefined takes a field away. */
const github = (changes: object = {}) => ({
  appId: '123456',
  installationId: '42',
  secretRef: { name: 'github' },
  url: 'https://github.example.com/api/v3',
  registry: 'containers.github.example.com',
  ...changes,
})
const gitlab = (changes: object = {}) => ({
  url: 'https://gitlab.example.com:8443/git',
  registry: 'registry.example.com:5050',
  group: 'acme/team',
  secretRef: { name: 'gitlab' },
  lifetimeDays: 30,
  ...changes,
})
const harbor = (changes: object = {}) => ({
  url: 'https://harbor.example.com',
  robots: ['robot$acme+pull-a', 'robot$acme+pull-b'],
  secretRef: { name: 'harbor' },
  ...changes,
})
const quay = (changes: object = {}) => ({
  url: 'https://quay.example.com',
  robot: 'acme+puller',
  serviceAccountName: 'quay-puller',
  audience: 'quay',
  ...changes,
})
const provider = '//iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/pool/providers/cluster'
const workloadIdentity = { audience: provider, serviceAccountName: 'gar-puller' }

const registry = 'acme.azurecr.io'
const tenantId = '11111111-2222-3333-4444-555555555555'
const clientId = '66666666-7777-8888-9999-000000000000'

export const wrongSpecs: Wrong[] = [
  {
    what: 'the name is longer than a label key takes',
    name: `a${'b'.repeat(63)}`,
    spec: { source },
    field: '<nil>',
    says: 'metadata.name must be at most 63 characters, since namespaces opt in by the label use.regcred.dev/<name>; write a shorter name',
  },
  ...wrongAwsSpecs,
  { what: 'there is no spec', spec: undefined, field: 'spec', says: required },
  { what: 'there is no source', spec: {}, field: 'spec.source', says: required },
  {
    what: 'a source that gives one login has no registries',
    spec: { source: { gar: { metadataServer: {} } } },
    field: 'spec',
    says: 'registries must be given with source.gar and source.tokenExchange',
  },
  {
    what: 'the source has no member',
    spec: { source: {} },
    field: 'spec.source',
    says: 'source must have exactly one of secretRef, files, ecr,',
  },
  {
    what: 'the source Secret has no name',
    spec: { source: { secretRef: {} } },
    field: 'spec.source.secretRef.name',
    says: required,
  },
  {
    what: 'the name of the source Secret is empty',
    spec: { source: { secretRef: { name: '' } } },
    field: 'spec.source.secretRef.name',
    says: 'source.secretRef.name must be the name of a Secret',
  },
  {
    what: 'the source Secret is given with its namespace',
    spec: { source: { secretRef: { name: 'regcred-system/dockerhub' } } },
    field: 'spec.source.secretRef.name',
    says: "in the operator's namespace: lower-case letters, digits, '-' and '.', with a letter or digit at both ends; write for example dockerhub",
  },
  {
    what: 'the folder of files is a path',
    spec: { source: { files: { name: 'mounted/dockerhub' } } },
    field: 'spec.source.files.name',
    says: "source.files.name must be the name of one folder in --files-dir, without slashes: letters, digits, '-', '_' and '.'; write for example dockerhub",
  },
  {
    what: 'the folder of files is above',
    spec: { source: { files: { name: '..' } } },
    field: 'spec.source.files.name',
    says: 'source.files.name must be the name of one folder in --files-dir',
  },
  {
    what: 'the plugin is a path',
    spec: { source: { exec: { plugin: '/bin/sh', for: ['ghcr.io'] } } },
    field: 'spec.source.exec.plugin',
    says: 'source.exec.plugin must be the name of a file in --exec-plugin-dir, without slashes; write for example ecr-credential-provider',
  },
  {
    what: 'the plugin is asked about nothing',
    spec: { source: { exec: { plugin: 'p', for: [] } } },
    field: 'spec.source.exec.for',
    says: 'should have at least 1 items',
  },
  {
    what: 'the plugin is asked about two images in one',
    spec: { source: { exec: { plugin: 'p', for: ['ghcr.io/a ghcr.io/b'] } } },
    field: 'spec.source.exec.for[0]',
    says: 'source.exec.for must have images or server URLs without white space; write for example ghcr.io/acme/app',
  },
  {
    what: 'the protocol of the plugin is unknown',
    spec: { source: { exec: { plugin: 'p', for: ['ghcr.io'], protocol: 'Helm' } } },
    field: 'spec.source.exec.protocol',
    says: 'supported values: "KubeletCredentialProvider", "DockerCredentialHelper"',
  },
  {
    what: 'there is an audience for no token',
    spec: { source: { exec: { plugin: 'p', for: ['ghcr.io'], audience: 'sts.test' } } },
    field: 'spec.source.exec',
    says: 'source.exec.audience needs serviceAccountName, whose token it is for; add it, or leave audience out',
  },
  {
    what: 'there is a token for no audience',
    spec: { source: { exec: { plugin: 'p', for: ['ghcr.io'], serviceAccountName: 'puller' } } },
    field: 'spec.source.exec',
    says: 'source.exec.serviceAccountName needs the audience of its token; write for example audience: sts.amazonaws.com',
  },
  {
    what: 'the ServiceAccount of the plugin is in another namespace',
    spec: { source: { exec: { plugin: 'p', for: ['ghcr.io'], serviceAccountName: 'team/puller', audience: 'a' } } },
    field: 'spec.source.exec.serviceAccountName',
    says: "source.exec.serviceAccountName must be the name of a ServiceAccount in the operator's namespace",
  },
  {
    what: 'a docker-credential helper is to get a token',
    spec: {
      source: {
        exec: {
          plugin: 'p',
          protocol: 'DockerCredentialHelper',
          for: ['ghcr.io'],
          serviceAccountName: 'puller',
          audience: 'a',
        },
      },
    },
    field: 'spec.source.exec',
    says: 'source.exec.serviceAccountName is of use to the protocol KubeletCredentialProvider alone; leave it out',
  },
  {
    what: 'a docker-credential helper is to get arguments',
    spec: { source: { exec: { plugin: 'p', protocol: 'DockerCredentialHelper', for: ['ghcr.io'], args: ['list'] } } },
    field: 'spec.source.exec',
    says: 'source.exec.args are of use to the protocol KubeletCredentialProvider alone; leave them out',
  },
  {
    what: 'secretName is empty',
    spec: { source, secretName: '' },
    field: 'spec.secretName',
    says: 'secretName must be the name of a Secret',
  },
  {
    what: 'secretName is no DNS subdomain',
    spec: { source, secretName: 'Reg_Cred' },
    field: 'spec.secretName',
    says: "lower-case letters, digits, '-' and '.', with a letter or digit at both ends; write for example regcred",
  },
  {
    what: 'secretName is too long',
    spec: { source, secretName: 'a'.repeat(254) },
    field: 'spec.secretName',
    says: 'may not be more than 253',
  },
  {
    what: 'a registry is there twice',
    spec: { source, registries: ['ghcr.io', 'quay.io', 'ghcr.io'] },
    field: 'spec.registries',
    says: 'registries must not name "ghcr.io/" twice',
  },
  {
    what: 'a registry is there in two spellings',
    spec: { source, registries: ['docker.io/acme', 'https://docker.io/acme/'] },
    field: 'spec.registries',
    says: 'twice, also not once with and once without https:// or a final slash; remove one of the two',
  },
  {
    what: 'there are too many registries',
    spec: { source, registries: Array.from({ length: 65 }, (_, i) => `r${i}.example.com`) },
    field: 'spec.registries',
    says: 'must have at most 64 items',
  },
  {
    what: 'include has a dot, which no namespace has',
    spec: { source, namespaces: { include: ['team.a'] } },
    field: 'spec.namespaces.include[0]',
    says: "namespaces.include must hold names of namespaces or globs: lower-case letters, digits and '-', not at the ends, with * and ? as wildcards; write for example team-*",
  },
  {
    what: 'include has a regular expression',
    spec: { source, namespaces: { include: ['team-[ab]'] } },
    field: 'spec.namespaces.include[0]',
    says: 'namespaces.include must hold names of namespaces or globs',
  },
  {
    what: 'include has an empty entry',
    spec: { source, namespaces: { include: [''] } },
    field: 'spec.namespaces.include[0]',
    says: 'namespaces.include must hold names of namespaces or globs',
  },
  {
    what: 'include has two entries in one',
    spec: { source, namespaces: { include: ['team-a,team-b'] } },
    field: 'spec.namespaces.include[0]',
    says: 'namespaces.include must hold names of namespaces or globs',
  },
  {
    what: 'include has an entry twice',
    spec: { source, namespaces: { include: ['team-a', 'team-b', 'team-a'] } },
    field: 'spec.namespaces.include',
    says: 'namespaces.include must not have "team-a" twice; remove one of the two',
  },
  {
    what: 'exclude has capitals',
    spec: { source, namespaces: { exclude: ['Team-*'] } },
    field: 'spec.namespaces.exclude[0]',
    says: 'namespaces.exclude must hold names of namespaces or globs',
  },
  {
    what: 'exclude has an entry twice',
    spec: { source, namespaces: { exclude: ['a-*', 'a-*'] } },
    field: 'spec.namespaces.exclude',
    says: 'namespaces.exclude must not have "a-*" twice; remove one of the two',
  },
  {
    what: 'matchLabels has a key that is no label key',
    spec: { source, namespaces: { selector: { matchLabels: { 'a b': 'c' } } } },
    field: 'spec.namespaces.selector.matchLabels',
    says: 'namespaces.selector.matchLabels must have label keys',
  },
  {
    what: 'matchLabels has a key with too long a prefix',
    spec: { source, namespaces: { selector: { matchLabels: { [`${'a'.repeat(254)}/b`]: 'c' } } } },
    field: 'spec.namespaces.selector.matchLabels',
    says: 'correct the key',
  },
  {
    what: 'matchLabels has a value that is no label value',
    spec: { source, namespaces: { selector: { matchLabels: { tier: '-backend' } } } },
    field: 'spec.namespaces.selector.matchLabels[tier]',
    says: 'namespaces.selector.matchLabels must have label values',
  },
  {
    what: 'a selector operator is misspelt',
    spec: { source, namespaces: { selector: { matchExpressions: [{ key: 'tier', operator: 'in', values: ['a'] }] } } },
    field: 'spec.namespaces.selector.matchExpressions[0].operator',
    says: 'supported values: "In", "NotIn", "Exists", "DoesNotExist"',
  },
  {
    what: 'In has no values',
    spec: { source, namespaces: { selector: { matchExpressions: [{ key: 'tier', operator: 'In' }] } } },
    field: 'spec.namespaces.selector.matchExpressions[0].values',
    says: 'namespaces.selector.matchExpressions needs values for the operator In; write for example values: [backend]',
  },
  {
    what: 'NotIn has an empty list of values',
    spec: { source, namespaces: { selector: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: [] }] } } },
    field: 'spec.namespaces.selector.matchExpressions[0].values',
    says: 'needs values for the operator NotIn',
  },
  {
    what: 'Exists has values',
    spec: {
      source,
      namespaces: { selector: { matchExpressions: [{ key: 'tier', operator: 'Exists', values: ['a'] }] } },
    },
    field: 'spec.namespaces.selector.matchExpressions[0].values',
    says: 'must not have values for the operator Exists; leave them out, or write the operator In or NotIn',
  },
  {
    what: 'a selector key is no label key',
    spec: { source, namespaces: { selector: { matchExpressions: [{ key: 'a/b/c', operator: 'Exists' }] } } },
    field: 'spec.namespaces.selector.matchExpressions[0].key',
    says: 'namespaces.selector.matchExpressions must have a label key',
  },
  {
    what: 'a selector value is no label value',
    spec: {
      source,
      namespaces: { selector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['a b'] }] } },
    },
    field: 'spec.namespaces.selector.matchExpressions[0].values[0]',
    says: 'namespaces.selector.matchExpressions must have label values',
  },
  {
    what: 'serviceAccounts has a character that is unsafe in a glob',
    spec: { source, serviceAccounts: ['build|deploy'] },
    field: 'spec.serviceAccounts[0]',
    says: "serviceAccounts must hold names of ServiceAccounts or globs: lower-case letters, digits, '-' and '.', not at the ends, with * and ? as wildcards; write for example default or deploy-*",
  },
  {
    what: 'serviceAccounts has an entry twice',
    spec: { source, serviceAccounts: ['default', 'default'] },
    field: 'spec.serviceAccounts',
    says: 'serviceAccounts must not have "default" twice; remove one of the two',
  },
  {
    what: 'priority is out of range',
    spec: { source, priority: 2000000000 },
    field: 'spec.priority',
    says: 'spec.priority in body should be less than or equal to 1000000',
  },
  {
    what: 'pods is unknown',
    spec: { source, pods: 'Replace' },
    field: 'spec.pods',
    says: 'supported values: "Inherit", "AddToOwnList"',
  },
  {
    what: 'healPods is unknown',
    spec: { source, healPods: 'Restart' },
    field: 'spec.healPods',
    says: 'supported values: "Off", "Report", "Evict"',
  },
  {
    what: 'deletionPolicy is unknown',
    spec: { source, deletionPolicy: 'Retain' },
    field: 'spec.deletionPolicy',
    says: 'supported values: "Delete", "Orphan"',
  },
  {
    what: 'suspend is a string',
    spec: { source, suspend: 'yes' },
    field: 'spec.suspend',
    says: 'must be of type boolean',
  },
  {
    what: 'vault has two identities',
    spec: { source: { vault: { ...vault, kubernetes: byRole } } },
    field: 'spec.source.vault',
    says: 'source.vault must have exactly one of secretRef and kubernetes, the identity that asks the issuer; name one and leave out the others',
  },
  {
    what: 'the URL of vault has a user',
    spec: { source: { vault: { ...vault, url: 'https://root@vault.example.com' } } },
    field: 'spec.source.vault.url',
    says: 'without user, query or fragment; write for example https://vault.example.com:8200',
  },
  {
    what: 'the mount of vault ends with a slash',
    spec: { source: { vault: { ...vault, mount: 'secret/' } } },
    field: 'spec.source.vault.mount',
    says: 'must be a path without slashes at its ends; write for example secret',
  },
  {
    what: 'the path of vault leads out of the mount',
    spec: { source: { vault: { ...vault, path: '../sys/seal' } } },
    field: 'spec.source.vault.path',
    says: 'must be a path without slashes at its ends; write for example registry/dockerhub',
  },
  {
    what: 'the namespace of vault has a line break',
    spec: { source: { vault: { ...vault, namespace: 'admin\n' } } },
    field: 'spec.source.vault.namespace',
    says: 'must be the path of a namespace, without white space; write for example admin/registry',
  },
  {
    what: 'the Secret of vault has a name that none has',
    spec: { source: { vault: { ...vault, secretRef: { name: 'Vault' } } } },
    field: 'spec.source.vault.secretRef.name',
    says: "must be the name of a Secret in the operator's namespace",
  },
  {
    what: 'the ServiceAccount of vault has a name that none has',
    spec: { source: { vault: { ...vaultByRole, kubernetes: { role: 'puller', serviceAccountName: 'a/b' } } } },
    field: 'spec.source.vault.kubernetes.serviceAccountName',
    says: "must be the name of a ServiceAccount in the operator's namespace",
  },
  {
    what: 'the auth method of vault is mounted outside of auth',
    spec: { source: { vault: { ...vaultByRole, kubernetes: { ...byRole, mount: '../secret/data' } } } },
    field: 'spec.source.vault.kubernetes.mount',
    says: 'must be a path without slashes at its ends; write for example kubernetes',
  },
  {
    what: 'the issuer of tokenExchange has a query',
    spec: { registries, source: { tokenExchange: { ...tokenExchange, issuer: 'https://sts.example.com/?realm=a' } } },
    field: 'spec.source.tokenExchange.issuer',
    says: 'without user, query or fragment; write for example https://sts.example.com',
  },
  {
    what: 'the issuer of tokenExchange is its discovery document',
    spec: {
      registries,
      source: {
        tokenExchange: { ...tokenExchange, issuer: 'https://sts.example.com/.well-known/openid-configuration' },
      },
    },
    field: 'spec.source.tokenExchange.issuer',
    says: 'must be the issuer, not its discovery document; write what stands before /.well-known/',
  },
  {
    what: 'the ServiceAccount of tokenExchange has a name that none has',
    spec: { registries, source: { tokenExchange: { ...tokenExchange, serviceAccountName: 'Sts' } } },
    field: 'spec.source.tokenExchange.serviceAccountName',
    says: "must be the name of a ServiceAccount in the operator's namespace",
  },
  {
    what: 'the Secret of tokenExchange has a name that none has',
    spec: { registries, source: { tokenExchange: { ...tokenExchange, secretRef: { name: '' } } } },
    field: 'spec.source.tokenExchange.secretRef.name',
    says: "must be the name of a Secret in the operator's namespace",
  },
  {
    what: 'github is not verified',
    spec: { source: { github: github() } },
    field: 'spec',
    says: 'verify.image must be given with source.github, since a token that logs in may still not be allowed to pull; write for example verify: {image: ghcr.io/acme/app:1.0}',
  },
  {
    what: 'github is verified, but that is skipped',
    spec: { source: { github: github() }, verify: { image: 'ghcr.io/acme/app:1.0', policy: 'Skip' } },
    field: 'spec',
    says: 'verify.image must be given with source.github',
  },
  {
    what: 'the id of a GitHub App is its name',
    spec: { source: { github: github({ appId: 'puller' }) }, verify: { image: 'ghcr.io/acme/app:1.0' } },
    field: 'spec.source.github.appId',
    says: 'source.github.appId must be a number in quotes; write for example appId: "123456"',
  },
  {
    what: 'the id of a GitHub installation is the name of the organisation',
    spec: {
      source: { github: github({ installationId: 'acme' }) },
      verify: { image: 'ghcr.io/acme/app:1.0' },
    },
    field: 'spec.source.github.installationId',
    says: 'source.github.installationId must be a number in quotes',
  },
  {
    what: 'the Secret of a GitHub App is given with its namespace',
    spec: {
      source: { github: github({ secretRef: { name: 'regcred-system/github' } }) },
      verify: { image: 'ghcr.io/acme/app:1.0' },
    },
    field: 'spec.source.github.secretRef.name',
    says: "source.github.secretRef.name must be the name of a Secret in the operator's namespace",
  },
  {
    what: 'the URL of GitHub has a user',
    spec: {
      source: { github: github({ url: 'https://me@github.example.com' }) },
      verify: { image: 'ghcr.io/acme/app:1.0' },
    },
    field: 'spec.source.github.url',
    says: 'source.github.url must be a URL of scheme, host, and port and path if need be, without user, query or fragment',
  },
  {
    what: "GitHub's registry has a path",
    spec: { source: { github: github({ registry: 'ghcr.io/acme' }) }, verify: { image: 'ghcr.io/acme/app:1.0' } },
    field: 'spec.source.github.registry',
    says: 'source.github.registry must be the host of a registry',
  },
  {
    what: 'gitlab has neither project nor group',
    spec: { source: { gitlab: gitlab({ group: undefined }) } },
    field: 'spec.source.gitlab',
    says: 'source.gitlab must have exactly one of project and group; write for example group: acme',
  },
  {
    what: 'gitlab has a project and a group',
    spec: { source: { gitlab: gitlab({ project: 'acme/app' }) } },
    field: 'spec.source.gitlab',
    says: 'source.gitlab must have exactly one of project and group',
  },
  {
    what: 'a GitLab server of its own has no registry of its own',
    spec: { source: { gitlab: gitlab({ registry: undefined }) } },
    field: 'spec.source.gitlab',
    says: 'source.gitlab.registry must be given with url, since only gitlab.com has registry.gitlab.com; write for example registry: registry.example.com',
  },
  {
    what: 'the URL of GitLab has a query',
    spec: { source: { gitlab: gitlab({ url: 'https://gitlab.example.com?a=b' }) } },
    field: 'spec.source.gitlab.url',
    says: 'source.gitlab.url must be a URL of scheme, host',
  },
  {
    what: "GitLab's registry is a URL",
    spec: { source: { gitlab: gitlab({ registry: 'https://registry.example.com' }) } },
    field: 'spec.source.gitlab.registry',
    says: 'source.gitlab.registry must be the host of a registry',
  },
  {
    what: 'the project of GitLab is a URL',
    spec: { source: { gitlab: gitlab({ group: undefined, project: 'https://gitlab.example.com/acme/app' }) } },
    field: 'spec.source.gitlab.project',
    says: 'source.gitlab.project must be a path such as acme/app, or a number in quotes',
  },
  {
    what: 'the group of GitLab starts with a slash',
    spec: { source: { gitlab: gitlab({ group: '/acme' }) } },
    field: 'spec.source.gitlab.group',
    says: 'source.gitlab.group must be a path such as acme, or a number in quotes',
  },
  {
    what: 'the Secret for GitLab has capitals',
    spec: { source: { gitlab: gitlab({ secretRef: { name: 'GitLab' } }) } },
    field: 'spec.source.gitlab.secretRef.name',
    says: "source.gitlab.secretRef.name must be the name of a Secret in the operator's namespace",
  },
  {
    what: 'a deploy token lives a day, which may end within minutes',
    spec: { source: { gitlab: gitlab({ lifetimeDays: 1 }) } },
    field: 'spec.source.gitlab.lifetimeDays',
    says: 'should be greater than or equal to 2',
  },
  {
    what: 'the URL of Harbor has no scheme',
    spec: { source: { harbor: harbor({ url: 'harbor.example.com' }) } },
    field: 'spec.source.harbor.url',
    says: 'source.harbor.url must be a URL of scheme, host',
  },
  {
    what: 'Harbor has no robot accounts',
    spec: { source: { harbor: harbor({ robots: [] }) } },
    field: 'spec.source.harbor.robots',
    says: 'should have at least 1 items',
  },
  {
    what: 'Harbor has three robot accounts',
    spec: { source: { harbor: harbor({ robots: ['robot$a', 'robot$b', 'robot$c'] }) } },
    field: 'spec.source.harbor.robots',
    says: 'must have at most 2 items',
  },
  {
    what: 'two robot accounts of Harbor stand in one entry',
    spec: { source: { harbor: harbor({ robots: ['robot$a robot$b'] }) } },
    field: 'spec.source.harbor.robots[0]',
    says: 'source.harbor.robots must have full names of robot accounts as Harbor shows them, without white space and colons; write for example robot$acme+pull-a',
  },
  {
    what: 'the Secret for Harbor has a slash',
    spec: { source: { harbor: harbor({ secretRef: { name: 'a/b' } }) } },
    field: 'spec.source.harbor.secretRef.name',
    says: "source.harbor.secretRef.name must be the name of a Secret in the operator's namespace",
  },
  {
    what: 'the URL of Quay has another scheme',
    spec: { source: { quay: quay({ url: 'oci://quay.io' }) } },
    field: 'spec.source.quay.url',
    says: 'source.quay.url must be a URL of scheme, host',
  },
  {
    what: 'the robot of Quay has no organisation',
    spec: { source: { quay: quay({ robot: 'puller' }) } },
    field: 'spec.source.quay.robot',
    says: 'source.quay.robot must be ORGANISATION+NAME; write for example acme+puller',
  },
  {
    what: 'the ServiceAccount for Quay is given with its namespace',
    spec: { source: { quay: quay({ serviceAccountName: 'regcred-system/quay-puller' }) } },
    field: 'spec.source.quay.serviceAccountName',
    says: "source.quay.serviceAccountName must be the name of a ServiceAccount in the operator's namespace",
  },
  {
    what: 'gar has no identity',
    spec: { registries, source: { gar: {} } },
    field: 'spec.source.gar',
    says: 'source.gar must have exactly one of secretRef, workloadIdentity and metadataServer, the identity that asks the issuer; name one and leave out the others',
  },
  {
    what: 'gar has two identities',
    spec: { registries, source: { gar: { secretRef: { name: 'gar' }, metadataServer: {} } } },
    field: 'spec.source.gar',
    says: 'source.gar must have exactly one of secretRef, workloadIdentity and metadataServer',
  },
  {
    what: 'the Secret of gar is no name',
    spec: { registries, source: { gar: { secretRef: { name: 'GAR' } } } },
    field: 'spec.source.gar.secretRef.name',
    says: 'source.gar.secretRef.name must be the name of a Secret',
  },
  {
    what: 'the provider of gar is a URL',
    spec: { registries, source: { gar: { workloadIdentity: { ...workloadIdentity, audience: `https:${provider}` } } } },
    field: 'spec.source.gar.workloadIdentity.audience',
    says: `source.gar.workloadIdentity.audience must be the full name of a provider, as gcloud tells it; write for example ${provider}`,
  },
  {
    what: 'the ServiceAccount of gar is no name',
    spec: { registries, source: { gar: { workloadIdentity: { ...workloadIdentity, serviceAccountName: 'a/b' } } } },
    field: 'spec.source.gar.workloadIdentity.serviceAccountName',
    says: 'source.gar.workloadIdentity.serviceAccountName must be the name of a ServiceAccount',
  },
  {
    what: 'gar impersonates something that is no e-mail',
    spec: { registries, source: { gar: { workloadIdentity: { ...workloadIdentity, impersonate: 'a@b/../c' } } } },
    field: 'spec.source.gar.workloadIdentity.impersonate',
    says: 'source.gar.workloadIdentity.impersonate must be the e-mail of a Google service account; write for example puller@acme.iam.gserviceaccount.com',
  },
  {
    what: 'the account of gar leads elsewhere on the metadata server',
    spec: { registries, source: { gar: { metadataServer: { account: '../../attributes' } } } },
    field: 'spec.source.gar.metadataServer.account',
    says: 'source.gar.metadataServer.account must be the e-mail of a service account of the instance, or default; write for example puller@acme.iam.gserviceaccount.com',
  },
  {
    what: 'acr has no identity',
    spec: { source: { acr: { registry, tenantId, clientId } } },
    field: 'spec.source.acr',
    says: 'source.acr must have exactly one of secretRef, serviceAccountName and managedIdentity, the identity that asks the issuer; name one and leave out the others',
  },
  {
    what: 'acr has an application without its tenant',
    spec: { source: { acr: { registry, clientId, secretRef: { name: 'acr' } } } },
    field: 'spec.source.acr',
    says: 'source.acr needs tenantId and clientId with secretRef and with serviceAccountName; add both',
  },
  {
    what: 'the registry of acr is a URL',
    spec: { source: { acr: { registry: `https://${registry}`, managedIdentity: {} } } },
    field: 'spec.source.acr.registry',
    says: 'source.acr.registry must be the host of a registry, with a port if need be, without https:// and path; write for example acme.azurecr.io',
  },
  {
    what: 'the tenant of acr has a path',
    spec: { source: { acr: { registry, tenantId: 'acme/v2.0', clientId, serviceAccountName: 'acr-puller' } } },
    field: 'spec.source.acr.tenantId',
    says: 'source.acr.tenantId must be the id or a domain of an Entra tenant; write for example 11111111-2222-3333-4444-555555555555',
  },
  {
    what: 'the application of acr is a URI',
    spec: { source: { acr: { registry, tenantId, clientId: 'api://acme', serviceAccountName: 'acr-puller' } } },
    field: 'spec.source.acr.clientId',
    says: 'source.acr.clientId must be the id of an application or a managed identity; write for example 11111111-2222-3333-4444-555555555555',
  },
  {
    what: 'the Secret of acr is no name',
    spec: { source: { acr: { registry, tenantId, clientId, secretRef: { name: '' } } } },
    field: 'spec.source.acr.secretRef.name',
    says: 'source.acr.secretRef.name must be the name of a Secret',
  },
  {
    what: 'the ServiceAccount of acr is no name',
    spec: { source: { acr: { registry, tenantId, clientId, serviceAccountName: 'acr_puller' } } },
    field: 'spec.source.acr.serviceAccountName',
    says: 'source.acr.serviceAccountName must be the name of a ServiceAccount',
  },
  ...['Team/app', 'team//app', 'team/app:1.0', '/app', 'team/-app'].map((repository) => ({
    what: `acr has the repository ${repository}`,
    spec: { source: { acr: { registry, managedIdentity: {}, repositories: [repository] } } },
    field: 'spec.source.acr.repositories[0]',
    says: 'source.acr.repositories must have repositories without host and tag; write for example team/app',
  })),
]

const tag = 'must not have a tag or digest, since the kubelet chooses credentials by repository; write ghcr.io/acme/app'
const pathWildcard =
  'must not have a wildcard or a query in the path, since the kubelet knows wildcards in the host only; write ghcr.io/acme/'
const login =
  'must not contain a user name or password, those come from source; write the registry alone, such as ghcr.io'
const port = 'must have a number as port, without wildcards; write registry.example.com:5000'
const host =
  'must start with the host of a registry: lower-case letters, digits, - and . with * as wildcard; write ghcr.io'
const path = 'must have a path as images have it: lower-case letters and digits in parts'
const everywhere =
  'must not consist of wildcards, that would give the password to every registry; write the host, such as *.example.com'

export const wrongRegistries: { key: string; says: string }[] = [
  { key: '', says: 'must not have an empty entry; write a registry such as ghcr.io' },
  { key: ' ghcr.io', says: 'must not contain white space; write one registry an entry' },
  { key: 'ghcr.io\n', says: 'must not contain white space' },
  {
    key: 'GHCR.io',
    says: 'must be lower-case, since the kubelet compares registry hosts case-sensitively; write ghcr.io instead of GHCR.io',
  },
  { key: 'ghcr.io/Acme', says: 'write ghcr.io/acme instead of ghcr.io/Acme' },
  { key: 'HTTPS://quay.io', says: 'write https://quay.io instead of HTTPS://quay.io' },
  {
    key: 'oci://ghcr.io/acme',
    says: 'must not have the scheme oci://, which the kubelet does not know; write ghcr.io/acme',
  },
  { key: 'user@ghcr.io', says: login },
  { key: 'https://user:example-password@ghcr.io', says: login },
  { key: 'ghcr.io/acme/app:v1', says: tag },
  { key: 'http://localhost:5000/app:v1', says: tag },
  { key: 'ghcr.io/acme/app@sha256:0123', says: tag },
  { key: 'ghcr.io/*/app', says: pathWildcard },
  { key: 'ghcr.io/acme/**', says: pathWildcard },
  { key: 'ghcr.io/acme?x=1', says: pathWildcard },
  {
    key: 'registry.example.com.',
    says: 'must not have a dot at the end of the host, which the kubelet never matches; write registry.example.com',
  },
  { key: 'https://registry.example.com.:443/acme', says: 'must not have a dot at the end of the host' },
  { key: 'registry.local:*', says: port },
  { key: 'registry.local:', says: port },
  { key: '[::1]/acme', says: 'must have a port behind an IPv6 address' },
  { key: 'registry.local:port/acme', says: port },
  { key: '*', says: everywhere },
  { key: '*.*:5000', says: everywhere },
  { key: '*.docker.io', says: 'must name Docker Hub docker.io, as images do; write docker.io' },
  {
    key: 'registry-?.example.com',
    says: 'must not have a question mark, the kubelet knows only * as wildcard; write *.example.com',
  },
  { key: '[a-z]*.example.com', says: host },
  { key: 'registry_1.example.com', says: host },
  { key: '-registry.example.com', says: host },
  { key: 'https://', says: host },
  { key: '/acme', says: host },
  { key: 'ghcr.io//acme', says: path },
  { key: 'ghcr.io/acme/-app', says: path },
  { key: 'ghcr.io/a%20b', says: path },
  { key: `ghcr.io/${'a'.repeat(253)}`, says: 'may not be more than 253' },
]

/** The keys that facts about the kubelet's keyring (`pkg/credentialprovider`) list as ignored without a word. */
export const ignoredByTheKubelet: string[] = [
  'GHCR.io',
  'HTTPS://ghcr.io',
  'oci://ghcr.io',
  ' ghcr.io',
  'ghcr.io ',
  'ghcr.io/acme/app:v1',
  'ghcr.io/Acme',
  'ghcr.io/*/app',
  'registry.example.com.',
  '*.docker.io',
  'registry.local:*',
  'registry-?.example.com',
  '[::1]',
  '[a-z]*.example.com',
  '',
]

export const acceptedRegistries: { key: string; image: string }[] = [
  { key: 'ghcr.io', image: 'ghcr.io/acme/app' },
  { key: 'ghcr.io/acme', image: 'ghcr.io/acme/app' },
  { key: 'ghcr.io/acme/', image: 'ghcr.io/acme/app' },
  { key: 'ghcr.io/acme/my__app.name-x', image: 'ghcr.io/acme/my__app.name-x' },
  { key: 'https://ghcr.io/', image: 'ghcr.io/acme/app' },
  { key: 'https://ghcr.io/v2/', image: 'ghcr.io/acme/app' },
  { key: 'registry.example.com:5000', image: 'registry.example.com:5000/app' },
  { key: 'registry.example.com:443/acme/', image: 'registry.example.com:443/acme/app' },
  { key: '*.example.com', image: 'registry.example.com/app' },
  { key: 'reg*-*.example.com', image: 'registry-1.example.com/app' },
  { key: '*.azurecr.*', image: 'acme.azurecr.io/app' },
  { key: '123456789012.dkr.ecr.*.amazonaws.com', image: '123456789012.dkr.ecr.us-east-1.amazonaws.com/app' },
  { key: '[::1]:5000', image: '[::1]:5000/app' },
  { key: 'localhost:5000', image: 'localhost:5000/app' },
  { key: 'http://localhost:5000', image: 'localhost:5000/app' },
  { key: '10.0.0.5:5000', image: '10.0.0.5:5000/app' },
  { key: 'https://index.docker.io/v1/', image: 'docker.io/library/nginx' },
  { key: 'https://index.docker.io/v1', image: 'docker.io/library/nginx' },
  { key: 'index.docker.io', image: 'docker.io/acme/app' },
  { key: 'docker.io', image: 'docker.io/library/nginx' },
  { key: 'docker.io/acme', image: 'docker.io/acme/app' },
  { key: 'docker.io/acme/', image: 'docker.io/acme/app' },
  { key: 'registry-1.docker.io', image: 'docker.io/acme/app' },
]

export const acceptedSpecs: Case[] = [
  { what: 'nothing but a source', spec: { source } },
  ...acceptedAwsSpecs,
  { what: 'a name of 63 characters with dots', name: `${'a'.repeat(31)}.${'b'.repeat(31)}`, spec: { source } },
  { what: 'another Secret name, with a dot', spec: { source, secretName: 'pull.acme' } },
  {
    what: 'the copies named like the source',
    spec: { source: { secretRef: { name: 'regcred' } }, secretName: 'regcred' },
  },
  {
    what: 'several registries',
    spec: { source, registries: ['ghcr.io', 'ghcr.io/acme/', 'docker.io', 'quay.io:443'] },
  },
  { what: 'no registries', spec: { source, registries: [] } },
  { what: 'every namespace', spec: { source, namespaces: { include: ['*'] } } },
  {
    what: 'names and globs of namespaces',
    spec: { source, namespaces: { include: ['team-*', 'a', '?-b', 'kube-system'] } },
  },
  { what: 'an empty include, which selects nothing', spec: { source, namespaces: { include: [] } } },
  {
    what: 'a namespace both included and excluded',
    spec: { source, namespaces: { include: ['a', 'b'], exclude: ['b'] } },
  },
  { what: 'the empty selector, which selects all', spec: { source, namespaces: { selector: {} } } },
  {
    what: 'a selector with every operator',
    spec: {
      source,
      namespaces: {
        selector: {
          matchLabels: { tier: 'backend', 'example.com/Team_1': '', 'kubernetes.io/metadata.name': 'a' },
          matchExpressions: [
            { key: 'tier', operator: 'In', values: ['backend', ''] },
            { key: 'example.com/zone', operator: 'NotIn', values: ['eu.West_1'] },
            { key: 'a', operator: 'Exists' },
            { key: 'b', operator: 'DoesNotExist', values: [] },
          ],
        },
      },
    },
  },
  { what: 'no opting in', spec: { source, namespaces: { include: ['team-*'], optIn: false } } },
  { what: 'no ServiceAccounts', spec: { source, serviceAccounts: [] } },
  { what: 'every ServiceAccount', spec: { source, serviceAccounts: ['*'] } },
  {
    what: 'names and globs of ServiceAccounts',
    spec: { source, serviceAccounts: ['default', 'deploy-*', 'ci.bot-?'] },
  },
  { what: 'files', spec: { source: { files: { name: 'docker_hub.v1' } } } },
  {
    what: 'a plugin of the kubelet with all there is',
    spec: {
      source: {
        exec: {
          plugin: 'ecr-credential-provider',
          protocol: 'KubeletCredentialProvider',
          for: ['123456789012.dkr.ecr.eu-central-1.amazonaws.com/app', 'docker.io/acme/app:1'],
          args: ['--v=2'],
          serviceAccountName: 'ecr-puller',
          audience: 'sts.amazonaws.com',
        },
      },
    },
  },
  {
    what: 'a docker-credential helper',
    spec: {
      source: {
        exec: {
          plugin: 'docker-credential-pass',
          protocol: 'DockerCredentialHelper',
          for: ['https://index.docker.io/v1/'],
        },
      },
    },
  },
  { what: 'the rest set', spec: { source, priority: -1000000, suspend: true, deletionPolicy: 'Orphan' } },
  { what: 'what becomes of pods', spec: { source, pods: 'AddToOwnList', healPods: 'Off' } },
  {
    what: 'all of vault with a token',
    spec: {
      source: {
        vault: {
          ...vault,
          mount: 'kv/teams',
          engine: 'KVv1',
          namespace: 'admin/registry/',
          keys: { username: 'user', password: 'pat' },
        },
      },
    },
  },
  {
    what: 'all of vault with a role',
    spec: {
      source: {
        vault: {
          ...vaultByRole,
          engine: 'Dynamic',
          kubernetes: { ...byRole, mount: 'k8s/prod@eu', audience: 'vault' },
        },
      },
    },
  },
  {
    what: 'all of tokenExchange',
    spec: {
      source: {
        tokenExchange: {
          ...tokenExchange,
          subjectAudience: 'sts.example.com',
          clientId: 'regcred',
          secretRef: { name: 'sts' },
          audience: 'https://registry.example.com',
          scope: 'repository:acme/app:pull offline',
        },
      },
      registries: ['registry.example.com'],
    },
  },
  {
    what: 'github, verified',
    spec: { source: { github: github() }, verify: { image: 'containers.github.example.com/acme/app:1.0' } },
  },
  { what: 'gitlab for a group', spec: { source: { gitlab: gitlab() } } },
  {
    what: 'gitlab for a project by its number, at gitlab.com',
    spec: { source: { gitlab: { project: '42', secretRef: { name: 'gitlab' } } } },
  },
  { what: 'harbor', spec: { source: { harbor: harbor() } } },
  { what: 'quay', spec: { source: { quay: quay() } } },
  {
    what: 'gar with a key',
    spec: { source: { gar: { secretRef: { name: 'gar' } } }, registries: ['gcr.io'] },
  },
  {
    what: 'gar with all of a workload identity',
    spec: {
      source: {
        gar: { workloadIdentity: { ...workloadIdentity, impersonate: 'puller@acme.iam.gserviceaccount.com' } },
      },
      registries: ['europe-docker.pkg.dev/acme/', '*.gcr.io'],
    },
  },
  {
    what: 'gar with the metadata server',
    spec: { source: { gar: { metadataServer: {} } }, registries: ['gcr.io'] },
  },
  {
    what: 'acr with all of an application',
    spec: {
      source: {
        acr: {
          registry,
          tenantId,
          clientId,
          serviceAccountName: 'acr-puller',
          repositories: ['team/app', 'my__app.name-x'],
          cloud: 'AzureGovernment',
        },
      },
    },
  },
  {
    what: 'acr with a managed identity',
    spec: { source: { acr: { registry: `${registry}:443`, managedIdentity: {}, clientId } } },
  },
]
