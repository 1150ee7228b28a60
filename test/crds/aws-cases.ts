/** The cases of the sources ecr and ecrPublic. */
import type { Case, Wrong } from './cases.ts'

const role = { arn: 'arn:aws:iam::123456789012:role/pull' }

export const wrongAwsSpecs: Wrong[] = [
  {
    what: 'ECR is asked for no region',
    spec: { source: { ecr: { regions: [], secretRef: { name: 'ecr' } } } },
    field: 'spec.source.ecr.regions',
    says: 'should have at least 1 items',
  },
  {
    what: 'a region of ECR is an availability zone',
    spec: { source: { ecr: { regions: ['eu-central-1a'], secretRef: { name: 'ecr' } } } },
    field: 'spec.source.ecr.regions[0]',
    says: 'source.ecr.regions must have names of AWS regions; write for example eu-central-1',
  },
  {
    what: 'a registry id of ECR is a host',
    spec: {
      source: { ecr: { regions: ['eu-west-1'], registryIds: ['acme.dkr.ecr'], secretRef: { name: 'ecr' } } },
    },
    field: 'spec.source.ecr.registryIds[0]',
    says: 'source.ecr.registryIds must have account numbers of twelve digits, in quotes; write for example "123456789012"',
  },
  ...wrongIdentities('ecr', { regions: ['eu-central-1'] }),
  ...wrongIdentities('ecrPublic', {}),
]

export const acceptedAwsSpecs: Case[] = [
  {
    what: 'ECR in regions of every partition, of several accounts, by a chain of roles',
    spec: {
      source: {
        ecr: {
          regions: ['eu-central-1', 'us-gov-west-1', 'cn-north-1', 'us-isob-east-1', 'eusc-de-east-1'],
          registryIds: ['123456789012', '210987654321'],
          serviceAccountName: 'ecr-puller',
          roles: [role, { arn: 'arn:aws-us-gov:iam::210987654321:role/path/pull', externalId: 'acme' }],
        },
      },
    },
  },
  {
    what: 'ECR Public by a key and a role that asks for an external id',
    spec: { source: { ecrPublic: { secretRef: { name: 'ecr-public' }, roles: [{ ...role, externalId: 'acme' }] } } },
  },
]

/** What both refuse alike. @param good what it needs beside an identity */
function wrongIdentities(kind: 'ecr' | 'ecrPublic', good: object): Wrong[] {
  const one = `source.${kind} must have exactly one of secretRef and serviceAccountName`
  const secretRef = { name: 'aws' }
  const serviceAccountName = 'puller'
  const wrong: [what: string, spec: object, field: string, says: string][] = [
    ['nobody asks', {}, '', one],
    ['a key and a ServiceAccount ask', { secretRef, serviceAccountName, roles: [role] }, '', one],
    [
      'a ServiceAccount asks without a role',
      { serviceAccountName },
      '',
      'roles must name the role that serviceAccountName',
    ],
    [
      'its roles are none',
      { serviceAccountName, roles: [] },
      '',
      'roles must name the role that serviceAccountName assumes',
    ],
    [
      'a ServiceAccount comes with an external id',
      { serviceAccountName, roles: [{ ...role, externalId: 'acme' }] },
      '',
      `source.${kind}.roles[0].externalId is of no use with serviceAccountName`,
    ],
    [
      'a role is a user',
      { secretRef, roles: [{ arn: 'arn:aws:iam::123456789012:user/pull' }] },
      '.roles[0].arn',
      `source.${kind}.roles must have ARNs of IAM roles; write for example arn:aws:iam::123456789012:role/pull`,
    ],
    [
      'the Secret is no name',
      { secretRef: { name: 'Keys' } },
      '.secretRef.name',
      `source.${kind}.secretRef.name must be`,
    ],
    [
      'the ServiceAccount is no name',
      { serviceAccountName: 'ns/puller', roles: [role] },
      '.serviceAccountName',
      `source.${kind}.serviceAccountName must be the name of a ServiceAccount in the operator's namespace`,
    ],
  ]
  return wrong.map(([what, spec, field, says]) => ({
    what: `${kind}: ${what}`,
    spec: { source: { [kind]: { ...good, ...spec } } },
    field: `spec.source.${kind}${field}`,
    says,
  }))
}
