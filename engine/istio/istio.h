#pragma once
/*
 * istio: what of Istio must work without a playbook: the undo of a route's weights.
 * Owns: route.weights of the undo vocabulary.
 * Never: knows playbooks, gates or steps of a switch (lua/dosrun/istio.lua); reads a kubeconfig.
 */
#include "base/undo.h"
#include "kube/kube.h"

/*
 * Handler for route.weights {ref, uid, route, weights, steps}: the VirtualService `ref`, its element of
 * spec.http that is named `route`; weights: object of destination ("host" or "host/subset") to integer,
 * as before the run; steps: array of such objects, every one that the run wanted. kube borrowed.
 */
struct undo_handler istio_undo_handler(struct kube *kube);
