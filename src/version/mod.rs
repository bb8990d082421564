//! Versions: tags, order, constraints, Helm's `kubeVersion` ranges.
