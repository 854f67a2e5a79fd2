// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/chosen_outputs.h"
#include "core/engine/feed_forward.h"
#include "core/engine/layer_weights.h"

namespace moescope::engine {

/// Sees a column's act(gate x) [n, m].
using ColumnSink = std::function<void(int column, const at::Tensor& activations)>;

/// Outputs of all columns for a block of tokens, as probes see them, on the run's device.
struct ColumnOutputs {
    at::Tensor outputs;  ///< [N, n, d] contiguous, compute dtype; undefined: only norms are wanted
    at::Tensor norms;    ///< [N, n] float32
    ColumnSink sink;     ///< empty when no probe wants activations
    /// Room for `columns` columns of a block.
    static ColumnOutputs make(int columns, std::int64_t tokens, std::int64_t hiddenSize,
                              bool keepOutputs, const at::TensorOptions& computeOptions);
    /// Makes room like make(), in the same memory where that is as large and of the same form.
    void prepare(int columns, std::int64_t tokens, std::int64_t hiddenSize, bool keepOutputs,
                 const at::TensorOptions& computeOptions);
    /// Where feedForward() may write a column's output; undefined when only norms are wanted.
    [[nodiscard]] at::Tensor placeOf(int column) const;
    /// Takes a column's output [n, d], which may lie at its place already.
    void set(int column, const at::Tensor& output) const;
    /// When all columns are set, before `norms` are read.
    void finish() const;
    /// What to hand to feedForward() for a column.
    [[nodiscard]] ActivationSink sinkOf(int column) const;
};

/// A routed layer's mixture: router, chosen experts, shared experts.
class MoeBlock {
public:
    MoeBlock(const model::MoeSpec& spec, const LayerWeights& weights, const ExpertSource& experts,
             const LayerIntervention* change)
        : m_spec(spec), m_weights(weights), m_experts(experts), m_change(change) {}

    struct Result {
        Routing routing;
        at::Tensor routerInput;  ///< [n, d] what the router read
        at::Tensor output;       ///< [n, d] what joins the residual stream
    };
    /// The mixture of x [n, d], the norm of the residual stream `residual`. With `columns` every
    /// routed expert is evaluated on all tokens and written to columns 0 .. E-1, the shared experts
    /// to `sharedColumn` (none when negative); what flows on is the same up to rounding, as
    /// products of other shapes add in another order. `sizes`, where given, is filled.
    [[nodiscard]] Result forward(const at::Tensor& residual, const at::Tensor& x,
                                 ColumnOutputs* columns, int sharedColumn,
                                 ChosenOutputSizes* sizes = nullptr) const;

private:
    /// The chosen experts' outputs times their weights, [n, d].
    [[nodiscard]] at::Tensor oneByOne(const Routing& routing, const at::Tensor& x,
                                      at::ScalarType sumType, ColumnOutputs* columns,
                                      ChosenOutputSizes* sizes) const;
    /// The same to the bit, gathered and summed for all experts at once.
    [[nodiscard]] at::Tensor together(const Routing& routing, const at::Tensor& x,
                                      at::ScalarType sumType, ColumnOutputs* columns,
                                      ChosenOutputSizes* sizes) const;
    /// The chosen ones' outputs, sorted by expert [n * k, d].
    [[nodiscard]] at::Tensor chosenOutputs(const SortedAssignments& sorted, const at::Tensor& x,
                                           ColumnOutputs* columns) const;
    /// Computes the wanted experts' pieces, several together. `take` gets each expert's output when
    /// it is there, and may be called again with the same where memory ran out.
    void computeAll(const std::vector<bool>& wanted,
                    const std::function<ExpertPiece(int expert)>& pieceOf, const ColumnSink& sink,
                    const std::function<void(int expert, const at::Tensor& output)>& take) const;
    int computeSome(int first, const std::vector<bool>& wanted,
                    const std::function<ExpertPiece(int expert)>& pieceOf, const ColumnSink& sink,
                    const std::function<void(int expert, const at::Tensor& output)>& take) const;
    [[nodiscard]] at::Tensor rowsOf(const at::Tensor& x, const ExpertRows& group) const;
    [[nodiscard]] at::Tensor expertOutput(int expert, const at::Tensor& x,
                                          const ActivationSink& sink = {},
                                          const at::Tensor& place = {}) const;
    /// Adds the expert's part for its rows and returns its own outputs on them, before any weight;
    /// `whole`: its output on all of x, where that is known. Where the weight multiplies the input
    /// these need another product and are undefined unless `outputsWanted`.
    at::Tensor addExpert(at::Tensor& sum, int expert, const at::Tensor& x, const at::Tensor& whole,
                         const ExpertRows& group, bool outputsWanted) const;
    [[nodiscard]] at::Tensor sharedOutput(const at::Tensor& residual, const at::Tensor& x,
                                          ColumnOutputs* columns, int sharedColumn) const;

    const model::MoeSpec& m_spec;
    const LayerWeights& m_weights;
    const ExpertSource& m_experts;
    const LayerIntervention* m_change;
};

}  // namespace moescope::engine
