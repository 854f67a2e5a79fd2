// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/strong_id.h"
#include "core/engine/bounded_bytes.h"
#include "core/engine/effort.h"
#include "core/engine/intervention.h"
#include "core/model/model_spec.h"
#include "core/session/quantity.h"
#include "core/text/choices.h"
#include "core/text/corpus.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace at {
class Tensor;
}
namespace moescope::checkpoint {
class Checkpoint;
}

/// What an experiment implements and what the engine promises it. An experiment is one or more
/// probes: the engine carries each layer's weights and each block of tokens past all of them at
/// once. All calls come from one thread, the compute lane. Tensors are borrowed: valid during the
/// call, never to be changed; keep a clone() to keep one. They live on the run's device; bring only
/// results to the CPU. A probe's state must be a sum, a count or per-token rows, so that shards can
/// be merged.
namespace moescope::engine {

/// One expert-like thing whose weights or outputs are compared: a routed expert, the feed-forward F
/// of a dense baseline, or the shared experts S (one fused MLP). Columns come in this order: the
/// routed experts by index, the baselines in the order given, S.
struct Column {
    enum class Kind { Routed, Baseline, Shared };
    Kind kind = Kind::Routed;
    std::string label;         ///< "0".."E-1", "F" ("F1", "F2" if there are several), "S"
    int intermediateSize = 0;  ///< m: number of neurons
    bool operator==(const Column&) const = default;
};

/// Where the engine is: one routed layer of one branch. Dense layers are never announced.
struct LayerContext {
    BranchId branch;
    LayerId layer;  ///< absolute
    const model::ModelSpec& model;
    const model::MoeSpec& moe;    ///< of this layer
    int hiddenSize = 0;           ///< d
    std::vector<Column> columns;  ///< the routed experts, then what baselines and S there are
    const text::TokenizedCorpus& corpus;  ///< empty when the run is static
    [[nodiscard]] int experts() const noexcept { return moe.experts; }
    [[nodiscard]] int topK() const noexcept { return moe.topK; }
    [[nodiscard]] std::uint64_t tokens() const noexcept { return corpus.ids.size(); }
    [[nodiscard]] std::vector<std::string> labels() const {
        std::vector<std::string> result;
        result.reserve(columns.size());
        for (const Column& column : columns) {
            result.push_back(column.label);
        }
        return result;
    }
};

/// Results that are already in the session, also those of an earlier run that was resumed.
class PartSource {
public:
    virtual ~PartSource() = default;
    /// One quantity of a finished layer of the asking probe's experiment (branch 0). Throws
    /// Error(BadSession) when it is not there.
    [[nodiscard]] virtual NdArray read(LayerId layer, std::string_view quantity) const = 0;
    /// The layers whose parts are finished, ascending.
    [[nodiscard]] virtual std::vector<LayerId> layers() const = 0;
};

/// Results of the intact model that are finished, of any experiment.
class ResultSource {
public:
    virtual ~ResultSource() = default;
    /// Throws Error(Usage) naming the experiment when it is not there.
    [[nodiscard]] virtual NdArray read(std::string_view experiment, std::string_view quantity,
                                       LayerId layer) const = 0;
};

/// The part about the whole model that a session holds of an experiment, made with options of its
/// own.
class KeptPart {
public:
    virtual ~KeptPart() = default;
    /// nullopt when the part has no such quantity.
    [[nodiscard]] virtual std::optional<session::Quantity> read(
        std::string_view quantity) const = 0;
};

/// What a whole-model probe may look at.
struct ModelContext {
    const model::ModelSpec& model;
    const checkpoint::Checkpoint& checkpoint;  ///< for tensor shapes; no weight is read
    const text::TokenizedCorpus& corpus;
    /// Questions that pass behind the text where the model is run again; may be absent.
    const text::TokenizedChoices* choices = nullptr;
};

class Probe {
public:
    Probe() = default;
    virtual ~Probe() = default;
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;

    [[nodiscard]] virtual std::string_view experiment() const = 0;  ///< id in the catalogue
    /// Throws when the experiment cannot be done as asked, Error(BaselineMismatch | Unsupported)
    /// saying why. Asked at every routed layer before the run begins, never during it.
    virtual void check(const LayerContext& layer) const { static_cast<void>(layer); }
    /// The part about the whole model (key.layer absent), asked for once, after all layers are
    /// finished and stored; nullopt when there is none. The engine sets the key's experiment and
    /// branch.
    [[nodiscard]] virtual std::optional<session::Part> finishModel(const ModelContext& model,
                                                                   const PartSource& stored) {
        static_cast<void>(model);
        static_cast<void>(stored);
        return std::nullopt;
    }
    /// True when finishModel() gives a part; asked before the run, for the plan.
    [[nodiscard]] virtual bool hasModelPart() const { return false; }
    /// The probe's own work at one layer, on all tokens or all weights, for the expected time.
    [[nodiscard]] virtual Effort effort(const LayerContext& layer) const {
        static_cast<void>(layer);
        return {};
    }
    /// What the plan says of the tokens that will have rows of their own; empty: nothing to say.
    [[nodiscard]] virtual std::string keptNote(const model::ModelSpec& model,
                                               const text::TokenizedCorpus& corpus) const {
        static_cast<void>(model);
        static_cast<void>(corpus);
        return {};
    }
    /// Bytes of one layer's results, for the estimate of disk space.
    [[nodiscard]] virtual std::uint64_t resultBytes(const LayerContext& layer) const {
        const std::uint64_t columns = layer.columns.size();
        return 8 * columns * columns * sizeof(float);
    }
};

/// What a dynamic probe wants beyond the router's quantities, which are always there.
struct DynamicNeeds {
    bool norms = false;        ///< L2 norms of every column's output
    bool outputs = false;      ///< every column's output vectors
    bool activations = false;  ///< every column's activated gate projection
    bool chosenSizes = false;  ///< how large the outputs of the chosen experts are, and no others'
    /// Whether every column is evaluated on every token.
    [[nodiscard]] bool allColumns() const noexcept { return norms || outputs || activations; }
};

/// act(gate x) of one column for a block of tokens, before it is multiplied with up x. Comes column
/// by column before the block itself.
struct ActivationBlock {
    std::uint64_t firstToken = 0;
    int column = 0;            ///< index into LayerContext::columns
    const at::Tensor& values;  ///< [n, m of the column], compute dtype
};

/// Asks a layer's router again, about other inputs or in other arithmetic. Nothing flows on from
/// the answers. All of it in float32 unless said otherwise, whatever the run's dtype: what sets the
/// answers apart is then the change alone.
class RouterTrial {
public:
    RouterTrial() = default;
    virtual ~RouterTrial() = default;
    RouterTrial(const RouterTrial&) = delete;
    RouterTrial& operator=(const RouterTrial&) = delete;

    /// [n, d] what the router read of the block's tokens.
    [[nodiscard]] virtual at::Tensor input() const = 0;
    /// int64 [n, k], by falling selection score, of an input [n, d].
    [[nodiscard]] virtual at::Tensor chosen(const at::Tensor& input) const = 0;
    /// The same where input, weight and bias are rounded to bfloat16, and so are the logits; sums
    /// are of float32.
    [[nodiscard]] virtual at::Tensor chosenInBfloat16(const at::Tensor& input) const = 0;
};

/// How large the outputs of a block's chosen experts are, before the routing weight, on the input
/// that the layer received. float32.
struct ChosenSizes {
    const at::Tensor& norms;    ///< [n, k] L2 norms
    const at::Tensor& largest;  ///< [n, k] largest magnitude of an element
};

/// A block of consecutive tokens at a routed layer. n tokens, E experts, k chosen, N columns of
/// which the first E are the experts, d hidden size. float32 unless said otherwise. Blocks come in
/// document order without gaps and cover all tokens; a block may span documents.
struct TokenBlock {
    std::uint64_t firstToken = 0;
    std::uint64_t count = 0;      ///< n
    const at::Tensor& input;      ///< [n, d], compute dtype: what the layer's experts received
    const at::Tensor& logits;     ///< [n, E] the router's linear map
    const at::Tensor& scores;     ///< [n, E] after softmax or sigmoid over all E
    const at::Tensor& selection;  ///< [n, E] what the choice is made on
    const at::Tensor& chosen;     ///< int64 [n, k], by falling selection score, ties to lower index
    const at::Tensor& weights;    ///< [n, k] what multiplied the experts' outputs
    const at::Tensor* norms = nullptr;    ///< [n, N], null unless some probe needs it
    const at::Tensor* outputs = nullptr;  ///< [N, n, d] contiguous, compute dtype, unweighted; null
                                          ///< unless needed
    const ChosenSizes* chosenSizes = nullptr;  ///< null unless some probe needs them
    const RouterTrial* trial = nullptr;        ///< the engine always gives one
};

/// An experiment fed by the forward pass.
class DynamicProbe : public Probe {
public:
    [[nodiscard]] virtual DynamicNeeds needs() const { return {}; }
    /// Bytes of state held between begin() and end(), for the estimate.
    [[nodiscard]] virtual std::uint64_t stateBytes(const LayerContext& layer) const = 0;
    /// Bytes of temporaries consume() makes per token of a block, for the size of blocks.
    [[nodiscard]] virtual std::uint64_t scratchBytesPerToken(const LayerContext& layer) const {
        static_cast<void>(layer);
        return 0;
    }

    /// What it takes beyond that on a device, where that is another computation: temporaries, and
    /// what consumeActivations() leaves there until consume().
    [[nodiscard]] virtual BoundedBytes deviceBytes(const LayerContext& layer) const {
        static_cast<void>(layer);
        return {};
    }

    virtual void begin(const LayerContext& layer) = 0;
    // When a device's memory runs out in one of these (it then throws LibTorch's error), the engine
    // makes room and calls it again: whatever allocates tensors comes before what adds to the
    // state.
    /// Only if needed.
    virtual void consumeActivations(const ActivationBlock& block) { static_cast<void>(block); }
    virtual void consume(const TokenBlock& block) = 0;
    /// The layer's results; the engine sets key and adds its own warnings.
    [[nodiscard]] virtual session::Part end() = 0;
};

enum class Role { Gate, Up, Down };
inline constexpr std::size_t kRoleCount = 3;

/// What a static probe wants of a layer. The matrices of a role are compared flattened; those that
/// are compared are the experts' and every column's of their shape (WeightSums::columns).
struct StaticNeeds {
    enum class Reference { Nothing, Mean, BaselineOrMean };
    enum class Points { Nothing, Centred, Standardised };
    bool expertWeights = false;  ///< the values themselves, by consume()
    bool router = false;
    bool products = false;                      ///< WeightSums::OfRole::products
    Reference relativeTo = Reference::Nothing;  ///< ... relative
    Points points = Points::Nothing;            ///< ... points
    bool neurons = false;                       ///< ... neurons
    [[nodiscard]] bool sums() const noexcept {
        return products || relativeTo != Reference::Nothing || points != Points::Nothing || neurons;
    }
};

/// Sums over the expert matrices of a layer, computed once for all probes that ask for them.
/// Products of matrices are accurate to about 1e-7 of the largest, sums of neurons to 1e-7.
struct WeightSums {
    std::vector<int> columns;  ///< that are compared, C of them; the E experts come first
    int reference = -1;        ///< of `relative`: index into columns; -1: the experts' mean
    std::size_t points = 0;    ///< P: those of `columns` that are experts or baselines, the first
    struct OfRole {
        std::vector<double> products;  ///< [C, C] x_i . x_j
        std::vector<double> relative;  ///< [E, E] the same of x_i less the reference
        /// [P, P] the same after each element's mean over the P matrices is taken off and, if
        /// standardised, its unbiased deviation is divided by (0 where that is 0).
        std::vector<double> points;
        std::vector<bool> isFinite;   ///< [N] no value of the column is NaN or infinite
        std::vector<double> neurons;  ///< [N, d] the sum of each column's neurons, of all columns
    };
    std::array<OfRole, kRoleCount> roles;  ///< by Role
    [[nodiscard]] const OfRole& of(Role role) const {
        return roles[static_cast<std::size_t>(role)];
    }
};

/// A slab of the expert matrices of one role: the same neurons of several columns, in float32.
/// Order within a layer: roles gate, up, down; within a role first the experts with every column
/// that has as many neurons as they (F and S where it fits), slab after slab, then each remaining
/// column by itself. So the first group's columns always begin with the E experts.
struct WeightBlock {
    Role role = Role::Gate;
    std::vector<int> columns;  ///< indices into LayerContext::columns, ascending
    std::uint64_t firstNeuron = 0;
    std::uint64_t neurons = 0;  ///< in this slab
    /// Gate and up: [columns, neurons, d]; down: [columns, d, neurons]. Contiguous.
    const at::Tensor& weights;
    [[nodiscard]] int neuronAxis() const noexcept { return role == Role::Down ? 2 : 1; }
};

/// An experiment on weights alone. Routed layers only.
class StaticProbe : public Probe {
public:
    [[nodiscard]] virtual StaticNeeds needs() const { return {}; }
    /// Bytes of state held between begin() and end(), and of the temporaries that consume() makes.
    [[nodiscard]] virtual std::uint64_t stateBytes(const LayerContext& layer) const = 0;

    virtual void begin(const LayerContext& layer) = 0;
    // When a device's memory runs out in one of these, it is called again, with a tensor in main
    // memory at the end: whatever allocates tensors comes before what adds to the state, and the
    // state does not lie on the device.
    /// Only if needed.
    virtual void consume(const WeightBlock& block) { static_cast<void>(block); }
    /// Router rows [E, d] in float32, between begin() and the first consume(); only if needed.
    virtual void consumeRouter(const at::Tensor& router) { static_cast<void>(router); }
    /// `sums` has what needs() asked for, and perhaps what others did.
    [[nodiscard]] virtual session::Part end(const WeightSums& sums) = 0;
};

/// Neurons of a layer's columns, whichever are asked for, as often as they are. Thread-safe.
class NeuronSource {
public:
    NeuronSource() = default;
    virtual ~NeuronSource() = default;
    NeuronSource(const NeuronSource&) = delete;
    NeuronSource& operator=(const NeuronSource&) = delete;

    /// Neurons [first, first + count) of a column as rows: [count, d] float32, for down (whose
    /// columns they are) as well; all on one device, or all in main memory. Not always contiguous.
    [[nodiscard]] virtual at::Tensor read(int column, Role role, std::uint64_t first,
                                          std::uint64_t count) const = 0;
    /// What a unit reads at a time, unless it needs more: few enough for little memory, enough for
    /// products at full speed.
    static constexpr std::uint64_t kTileBytes = std::uint64_t{32} << 20U;
    [[nodiscard]] virtual std::uint64_t tileBytes() const { return kTileBytes; }
};

/// A piece of a layer's work that stands alone.
struct WorkUnit {
    std::string key;           ///< names it among the layer's units, or the run's if it is shared
    bool ofAllLayers = false;  ///< the same in every layer that lists it: computed once
    double operations = 0.0;   ///< floating-point, for progress and estimate
};

/// An experiment on weights that takes long and comes in pieces: the engine computes several at
/// once, keeps each as soon as it is finished and computes none again, whatever ends the run.
class UnitProbe : public Probe {
public:
    /// Determined by the layer and the options alone.
    [[nodiscard]] virtual std::vector<WorkUnit> units(const LayerContext& layer) const = 0;
    /// Bytes that one unit at work holds.
    [[nodiscard]] virtual std::uint64_t unitBytes(const LayerContext& layer) const = 0;
    /// The numbers of units(layer)[unit]. Called from several threads at once, and again with
    /// another source when a device's memory ran out. `poll` throws when the run is to stop; call
    /// it every second or so.
    [[nodiscard]] virtual std::vector<double> compute(const LayerContext& layer, std::size_t unit,
                                                      const NeuronSource& neurons,
                                                      const std::function<void()>& poll) const = 0;
    /// The layer's results from those of its units, in order.
    [[nodiscard]] virtual session::Part assemble(
        const LayerContext& layer, const std::vector<std::vector<double>>& results) const = 0;
};

/// An experiment on the checkpoint's headers alone: finishModel() does it all.
class ModelProbe : public Probe {
public:
    [[nodiscard]] bool hasModelPart() const override { return true; }
};

/// Logits of some consecutive tokens.
struct LogitsBlock {
    std::optional<std::size_t> branch;  ///< index into branches(); absent: the intact model
    std::uint64_t firstToken = 0;
    const at::Tensor& logits;  ///< [n, V] float32
};

/// An experiment that runs the model again with one change after another; finishModel() says what
/// came of it. Its weights are read once more for as many branches as memory allows at a time.
class BranchProbe : public Probe {
public:
    [[nodiscard]] bool hasModelPart() const override { return true; }
    [[nodiscard]] virtual std::vector<Intervention> branches(
        const model::ModelSpec& model) const = 0;
    /// The same where what is changed follows from results: as many branches as branches() says,
    /// each with its first change in the same layer.
    [[nodiscard]] virtual std::vector<Intervention> branchesFrom(
        const model::ModelSpec& model, const ResultSource& results) const {
        static_cast<void>(results);
        return branches(model);
    }
    /// Experiments whose results branchesFrom() reads: a run computes them as well.
    [[nodiscard]] virtual std::vector<std::string_view> sources() const { return {}; }
    /// Of the part about the model, for a text of so many tokens.
    [[nodiscard]] virtual std::uint64_t partBytes(const model::ModelSpec& model,
                                                  std::uint64_t tokens) const = 0;
    /// Bytes that are held while the branches pass a text of so many tokens.
    [[nodiscard]] virtual std::uint64_t stateBytes(const model::ModelSpec& model,
                                                   std::uint64_t tokens) const {
        static_cast<void>(model);
        static_cast<void>(tokens);
        return 0;
    }
    /// `passed` are the branches in their order, as branchesFrom() made them.
    virtual void begin(const ModelContext& model, const std::vector<Intervention>& passed) = 0;
    /// All of the intact model's blocks come first, then those of each branch, in token order. As
    /// with DynamicProbe it is called again when a device's memory ran out in it.
    virtual void consume(const LogitsBlock& block) = 0;
    /// What came of a branch, after its last block: kept at once, so that a run that is stopped
    /// does not pass it again. Determined by model, text and the branch's name.
    [[nodiscard]] virtual std::vector<double> result(std::size_t branch) const = 0;
    /// How many numbers that is; after begin().
    [[nodiscard]] virtual std::size_t resultSize(std::size_t branch) const = 0;
    /// Instead of a branch's blocks, after begin().
    virtual void restore(std::size_t branch, std::span<const double> result) = 0;
    /// Gives restore() what a part of this experiment, made from the same model and text with other
    /// options, holds of the branches that are to be passed.
    using Recalled = std::function<void(std::size_t branch, std::vector<double> result)>;
    virtual void recall(const model::ModelSpec& model, const KeptPart& part,
                        const Recalled& recalled) const {
        static_cast<void>(model);
        static_cast<void>(part);
        static_cast<void>(recalled);
    }
    /// What there is while branches are still passed, for those who watch: what is missing is NaN.
    [[nodiscard]] virtual std::optional<session::Part> interim(const ModelContext& model) = 0;
};

/// The probes of one experiment, usually a single one.
struct ProbeSet {
    std::vector<std::unique_ptr<DynamicProbe>> dynamic;
    std::vector<std::unique_ptr<StaticProbe>> statics;
    std::vector<std::unique_ptr<UnitProbe>> units;
    std::vector<std::unique_ptr<ModelProbe>> models;
    std::vector<std::unique_ptr<BranchProbe>> branches;
};

/// Makes the probes of an experiment from its id and its options (a JSON object as in
/// session::ExperimentRecord). Given to the engine by whoever links core/experiments; returns an
/// empty set for an experiment that is derived from others.
using ProbeFactory =
    std::function<ProbeSet(std::string_view experiment, std::string_view optionsJson)>;

}  // namespace moescope::engine
