path "secret/data/registry/dockerhub" {
  capabilities = ["read"]
}
