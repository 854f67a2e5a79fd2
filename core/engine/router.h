// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/intervention.h"
#include "core/engine/weights.h"

namespace moescope::engine {

/// The four router quantities of a block of tokens (experiments.md, conventions), float32 but for
/// the ids. n tokens, E experts, k chosen.
struct Routing {
    at::Tensor logits;     ///< [n, E]
    at::Tensor scores;     ///< [n, E]
    at::Tensor selection;  ///< [n, E]
    at::Tensor chosen;     ///< int64 [n, k], by falling selection score, ties to the lower index
    at::Tensor weights;    ///< [n, k], rounded to the model dtype where the model does so
};

/// What the router reads: x [n, d], or the residual stream through the router's own norm.
[[nodiscard]] at::Tensor routerInput(const at::Tensor& residual, const at::Tensor& x,
                                     const Router& router);

/// Routes x [n, d]. `change` may be null.
[[nodiscard]] Routing route(const at::Tensor& x, const Router& router,
                            const model::RouterSpec& spec, int topK,
                            const LayerIntervention* change);

/// What follows from logits [n, E] up to the choice; the weights are not taken. `change` as above.
/// An expert whose logit becomes -infinity is out of the choice whatever bias its score has. Where
/// a family chooses within groups it is out of its group's score too (transformers would add the
/// bias of a score of 0 there, and where a group keeps fewer experts than its score sums, -infinity
/// for a group that has some left); where the kept groups have fewer than k experts left the next
/// best groups join them (transformers would choose among equal scores of -infinity, removed
/// experts among them).
[[nodiscard]] Routing chooseFrom(at::Tensor logits, const Router& router,
                                 const model::RouterSpec& spec, int topK,
                                 const LayerIntervention* change);

/// The k largest of each row of `selection` [n, E] in falling order, ties to the lower index; NaN
/// counts as the smallest. int64 [n, k].
[[nodiscard]] at::Tensor chooseTop(const at::Tensor& selection, int k);

}  // namespace moescope::engine
