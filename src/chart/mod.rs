//! Helm charts: reading archives, rendering with real Helm, finding images.
