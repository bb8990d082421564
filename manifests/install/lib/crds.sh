# shellcheck shell=bash
# Definitions of custom resources: Helm never upgrades those of a chart's crds/, and the largest is too large for the
# annotation of a client-side apply.

# POSITION: those of a release's crds/ folders, with the values that decide which subcharts are in.
crds_of() {
  release_render "$1" --include-crds | awk '
    # A file of definitions may begin with a separator of its own: what Helm names holds until it names something else.
    /^---/ { if (keep) printf "%s", text; text = "" }
    /^# Source: / { keep = /\/crds\// && !/\/templates\// }
    { text = text $0 "\n" }
    END { if (keep) printf "%s", text }'
}

crds_are_istio() {
  [ "$(kubectl_ask get customresourcedefinition destinationrules.networking.istio.io --ignore-not-found -o 'jsonpath={.metadata.annotations.meta\.helm\.sh/release-name}')" = istio-base ]
}

crds_apply() {
  local component at file
  wanted crds || return 0
  step step-crds
  for component in $(plan_components); do
    # Its old definitions of Istio have the names of Istio's own, which would go back with them.
    if [ "$component" = edgemesh ] && { plan_selects istio || crds_are_istio; }; then
      say crds-of-istio
      continue
    fi
    for at in $(plan_releases "$component"); do
      file=$WORK/crds-${RELEASE_NAME[at]}.yaml
      crds_of "$at" >"$file" || die render-failed "${RELEASE_NAME[at]}"
      if [ -s "$file" ]; then
        apply "$file" || die crds-failed "${RELEASE_NAME[at]}"
        run "${KUBECTL[@]}" wait --for=condition=Established --timeout=60s -f "$file" || die crds-failed "${RELEASE_NAME[at]}"
      fi
    done
  done
}
