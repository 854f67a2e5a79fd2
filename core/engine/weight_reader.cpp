// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/weight_reader.h"

#include "core/base/error.h"
#include "core/checkpoint/non_finite.h"
#include "core/engine/parallel_ranges.h"
#include "core/jobs/parallel_for.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace moescope::engine {
namespace {

using checkpoint::Dtype;
using checkpoint::LogicalTensor;
using checkpoint::Window;
using model::TensorRef;

/// Elements decoded by one task: small enough to stay in the second-level cache.
constexpr std::uint64_t kDecodeGrain = 1 << 16;
/// Fewer tasks are done before other threads have started.
constexpr std::uint64_t kTasksWorthThreads = 8;

std::optional<at::ScalarType> torchType(Dtype dtype) {
    switch (dtype) {
        case Dtype::F32:
            return at::kFloat;
        case Dtype::BF16:
            return at::kBFloat16;
        case Dtype::F16:
            return at::kHalf;
        case Dtype::F64:
            return at::kDouble;
        default:
            return std::nullopt;
    }
}

std::vector<std::int64_t> sizes(const LogicalTensor& tensor) {
    return {tensor.shape().begin(), tensor.shape().end()};
}

/// The mapped bytes as a tensor, where they can be one as they are. Nothing in the engine writes to
/// weights.
std::optional<at::Tensor> wrap(const LogicalTensor& tensor) {
    const auto type = torchType(tensor.dtype());
    const auto bytes = tensor.plainBytes();
    if (!type || !bytes ||
        reinterpret_cast<std::uintptr_t>(bytes->data()) % sizeOf(tensor.dtype()) != 0) {
        return std::nullopt;
    }
    return at::from_blob(const_cast<std::byte*>(bytes->data()), sizes(tensor),
                         at::TensorOptions().dtype(*type));
}

/// Decodes a window to the address of its first element in a float32 or bfloat16 tensor.
void decodeTo(const LogicalTensor& tensor, const Window& window, at::ScalarType type, void* to) {
    const std::size_t count = window.rows * window.columns;
    if (type == at::kFloat) {
        tensor.decode(window, std::span(static_cast<float*>(to), count));
    } else {
        tensor.decode(window, std::span(static_cast<std::uint16_t*>(to), count));
    }
}

/// Rows that one task decodes.
std::uint64_t rowGrain(std::uint64_t columns) {
    return std::max<std::uint64_t>(1, kDecodeGrain / std::max<std::uint64_t>(columns, 1));
}

/// LibTorch's own parallel_for() is a template that runs in one thread unless the caller is
/// compiled with OpenMP, so decoding uses ours.
unsigned threadsFor(std::uint64_t tasks) {
    return tasks >= kTasksWorthThreads ? jobs::loopThreads() : 1U;
}

/// Calls decode(first row, rows) for groups of rows of about a grain of elements each.
template <typename Decode>
void forRows(std::uint64_t rows, std::uint64_t columns, WeightReader::Load how,
             const Decode& decode) {
    const std::uint64_t grain = rowGrain(columns);
    const std::uint64_t tasks = (rows + grain - 1) / grain;
    const auto task = [&](std::size_t index) {
        const std::uint64_t first = index * grain;
        decode(first, std::min(grain, rows - first));
    };
    jobs::parallelFor(tasks, how == WeightReader::Load::Now ? threadsFor(tasks) : 1U,
                      jobs::CancelToken(), task);
}

/// Those of our own loops: LibTorch has one for models whose operations are small, and what waits
/// for the bus is large for all that.
int teamSize() {
    return static_cast<int>(jobs::loopThreads());
}

/// Rows shared out among threads: while a device computes, the processor has none of its own work.
void fillDecoded(const LogicalTensor& tensor, const Window& window, at::ScalarType type, void* to) {
    const std::uint64_t rowBytes = window.columns * c10::elementSize(type);
    const auto decode = [&](std::int64_t first, std::int64_t end) {
        const auto row = static_cast<std::uint64_t>(first);
        const auto rows = static_cast<std::uint64_t>(end - first);
        decodeTo(tensor, {window.firstRow + row, rows, window.firstColumn, window.columns}, type,
                 static_cast<char*>(to) + row * rowBytes);
    };
    parallelRanges(static_cast<std::int64_t>(window.rows),
                   static_cast<std::int64_t>(rowGrain(window.columns)), teamSize(), decode);
}

/// The same for bytes as they are; counts what is not finite on the way, where `look` says what
/// they are. A team that stays is told of a megabyte: to start threads takes as long as to copy it.
std::uint64_t copyBytes(std::span<const std::byte> from, std::byte* to, std::optional<Dtype> look) {
    constexpr std::uint64_t kPiece = std::uint64_t{1} << 17U;  // of whole elements
    const auto pieces = static_cast<std::int64_t>((from.size() + kPiece - 1) / kPiece);
    std::atomic<std::uint64_t> nonFinite{0};
    parallelRanges(pieces, 2, teamSize(), [&](std::int64_t first, std::int64_t end) {
        const std::uint64_t begin = static_cast<std::uint64_t>(first) * kPiece;
        const auto part = from.subspan(
            begin, std::min(static_cast<std::uint64_t>(end) * kPiece, from.size()) - begin);
        for (std::uint64_t at = 0; at < part.size(); at += kPiece) {  // while it is in the cache
            const auto piece = part.subspan(at, std::min(kPiece, part.size() - at));
            std::memcpy(to + begin + at, piece.data(), piece.size());
            if (look) {
                nonFinite += checkpoint::countNonFinite(*look, piece);
            }
        }
    });
    return nonFinite;
}

void requireMatrix(const LogicalTensor& tensor, const TensorRef& ref) {
    if (tensor.shape().size() != 2) {
        throw Error(ErrorCode::BadShape,
                    fmt::format("{}: a matrix was expected, found {} dimensions", ref.name,
                                tensor.shape().size()));
    }
}

}  // namespace

WeightReader::Place WeightReader::placeOf(const TensorRef& ref) {
    return ref.part ? Place{ref.name, ref.part->rows.first, ref.part->columns.first}
                    : Place{ref.name};
}

bool WeightReader::isDirect(const LogicalTensor& tensor) const {
    return m_place.device.is_cpu() && m_stream == nullptr &&
           torchType(tensor.dtype()) == m_place.dtype && wrap(tensor).has_value();
}

bool WeightReader::isDirect(const TensorRef& ref) const {
    return isDirect(LogicalTensor(m_checkpoint, ref));
}

bool WeightReader::isStoredBfloat16(const TensorRef& ref) const {
    const LogicalTensor tensor(m_checkpoint, ref);
    return tensor.dtype() == Dtype::BF16 && tensor.shape().size() == 2 && wrap(tensor).has_value();
}

std::optional<std::span<const std::uint16_t>> WeightReader::storedBfloat16(const TensorRef& ref) {
    if (!isStoredBfloat16(ref)) {
        return std::nullopt;
    }
    const LogicalTensor tensor(m_checkpoint, ref);
    {
        const std::lock_guard lock(m_ledger->mutex);
        if (m_ledger->resident.insert(placeOf(ref)).second) {
            m_ledger->bytesRead += tensor.storedBytes();
        }
    }
    const std::span<const std::byte> bytes = *tensor.plainBytes();
    return std::span(reinterpret_cast<const std::uint16_t*>(bytes.data()),
                     bytes.size() / sizeof(std::uint16_t));
}

void WeightReader::lookThrough(const TensorRef& ref) {
    check(ref, LogicalTensor(m_checkpoint, ref));
}

std::uint64_t WeightReader::storedBytes(const TensorRef& ref) const {
    return ref.empty() ? 0 : LogicalTensor(m_checkpoint, ref).storedBytes();
}

std::uint64_t WeightReader::elements(const TensorRef& ref) const {
    return ref.empty() ? 0 : LogicalTensor(m_checkpoint, ref).elements();
}

bool WeightReader::account(const TensorRef& ref, const LogicalTensor& tensor) {
    const Place place = placeOf(ref);
    const std::lock_guard lock(m_ledger->mutex);
    if (m_ledger->resident.insert(place).second) {
        m_ledger->bytesRead += tensor.storedBytes();
    }
    return m_ledger->checked.insert(place).second;
}

void WeightReader::check(const TensorRef& ref, const LogicalTensor& tensor) {
    if (account(ref, tensor)) {
        note(ref, tensor.countNonFinite(), tensor.elements());
    }
}

void WeightReader::note(const TensorRef& ref, std::uint64_t nonFinite, std::uint64_t of) {
    if (nonFinite > 0) {
        const std::lock_guard lock(m_ledger->mutex);
        m_ledger->warnings.emplace(
            placeOf(ref), fmt::format("{} of {} values of {} are not finite (NaN or infinity)",
                                      nonFinite, of, describe(ref)));
    }
}

std::string WeightReader::warningOf(const TensorRef& ref) const {
    const std::lock_guard lock(m_ledger->mutex);
    const auto found = m_ledger->warnings.find(placeOf(ref));
    return found == m_ledger->warnings.end() ? std::string() : found->second;
}

at::Tensor WeightReader::decode(const LogicalTensor& tensor, at::ScalarType type, Load how) {
    at::Tensor result = at::empty(sizes(tensor), at::TensorOptions().dtype(type));
    auto* const to = static_cast<char*>(result.data_ptr());
    const std::uint64_t rowBytes = tensor.columns() * result.element_size();
    forRows(tensor.rows(), tensor.columns(), how, [&](std::uint64_t row, std::uint64_t rows) {
        decodeTo(tensor, {row, rows, 0, tensor.columns()}, type, to + row * rowBytes);
    });
    return result;
}

at::Tensor WeightReader::upload(const LogicalTensor& tensor) const {
    if (const auto stored = wrap(tensor)) {
        // The narrower stored type crosses the bus; the device converts.
        return stored->to(m_place.device).to(m_place.dtype);
    }
    return decode(tensor, m_place.dtype, Load::Now).to(m_place.device);
}

at::Tensor WeightReader::stream(const LogicalTensor& tensor, at::ScalarType type, Load how,
                                std::uint64_t* nonFinite) const {
    const auto stored = torchType(tensor.dtype());
    const auto bytes = stored ? tensor.plainBytes() : std::nullopt;
    // The narrower type crosses the bus; what is packed, wider or of another kind is decoded here.
    const bool asStored =
        bytes && (*stored == type || c10::elementSize(*stored) < c10::elementSize(type));
    std::atomic<std::uint64_t> found{0};
    const auto fill = [&](const Window& window, void* to) {
        if (!asStored) {
            fillDecoded(tensor, window, type, to);
            return;
        }
        const std::uint64_t size = sizeOf(tensor.dtype());
        const std::uint64_t first = window.firstRow * tensor.columns() + window.firstColumn;
        const auto part = bytes->subspan(first * size, window.rows * window.columns * size);
        found += copyBytes(part, static_cast<std::byte*>(to),
                           nonFinite != nullptr ? std::optional(tensor.dtype()) : std::nullopt);
    };
    const DeviceStream::Source source{.shape = sizes(tensor),
                                      .rows = tensor.rows(),
                                      .columns = tensor.columns(),
                                      .stored = asStored ? *stored : type,
                                      .wanted = type,
                                      .fill = fill};
    const auto order =
        how == Load::Now ? DeviceStream::Order::Computation : DeviceStream::Order::Copies;
    at::Tensor result = m_stream->upload(source, order);
    if (nonFinite != nullptr) {
        *nonFinite = asStored ? found.load() : tensor.countNonFinite();
    }
    return result;
}

at::Tensor WeightReader::streamChecked(const TensorRef& ref, const LogicalTensor& tensor,
                                       Load how) {
    try {
        std::uint64_t nonFinite = 0;
        at::Tensor result = stream(tensor, m_place.dtype, how, &nonFinite);
        note(ref, nonFinite, tensor.elements());
        return result;
    } catch (...) {  // memory may run out before any value is seen: it will be read again
        const std::lock_guard lock(m_ledger->mutex);
        m_ledger->checked.erase(placeOf(ref));
        throw;
    }
}

at::Tensor WeightReader::load(const TensorRef& ref, Load how) {
    const LogicalTensor tensor(m_checkpoint, ref);
    const bool check = account(ref, tensor);
    if (m_stream != nullptr) {
        return check ? streamChecked(ref, tensor, how)
                     : stream(tensor, m_place.dtype, how, nullptr);
    }
    if (how == Load::AheadDirect && isDirect(tensor)) {
        if (const auto read = readDirect(tensor)) {
            if (check) {
                const auto* data = static_cast<const std::byte*>(read->data_ptr());
                note(ref, checkpoint::countNonFinite(tensor.dtype(), {data, read->nbytes()}),
                     tensor.elements());
            }
            return *read;
        }
    }
    if (check) {
        note(ref, tensor.countNonFinite(), tensor.elements());
    }
    if (!m_place.device.is_cpu()) {
        return upload(tensor);
    }
    return isDirect(tensor) ? *wrap(tensor) : decode(tensor, m_place.dtype, how);
}

std::uint64_t WeightReader::directRoom(const TensorRef& ref, std::uint64_t least) const {
    if (ref.empty()) {
        return 0;
    }
    const LogicalTensor tensor(m_checkpoint, ref);
    const auto view = isDirect(tensor) ? tensor.plainView() : std::nullopt;
    return view && view->bytes.size() >= least ? checkpoint::Checkpoint::directRoom(*view) : 0;
}

std::optional<at::Tensor> WeightReader::readDirect(const LogicalTensor& tensor) const {
    const auto view = tensor.plainView();
    if (!m_buffers || !view || view->bytes.size() < m_direct.leastBytes ||
        (!m_direct.evenCached && m_checkpoint.isCached(*view))) {
        return std::nullopt;
    }
    const std::size_t room = checkpoint::Checkpoint::directRoom(*view);
    std::shared_ptr<std::byte> buffer = m_buffers->take(room);
    const auto first = m_checkpoint.readDirect(*view, {buffer.get(), room});
    if (!first) {
        return std::nullopt;
    }
    std::byte* const data = buffer.get() + *first;
    return at::from_blob(
        data, sizes(tensor), [buffer = std::move(buffer)](void*) mutable { buffer.reset(); },
        at::TensorOptions().dtype(*torchType(tensor.dtype())));
}

at::Tensor WeightReader::loadFloat(const TensorRef& ref, Load how) {
    const LogicalTensor tensor(m_checkpoint, ref);
    check(ref, tensor);
    if (m_stream != nullptr) {
        return stream(tensor, at::kFloat, how, nullptr);
    }
    return decode(tensor, at::kFloat, Load::Ahead).to(m_place.device);
}

Linear WeightReader::load(const model::LinearNames& names, Load how) {
    Linear linear;
    linear.weight = load(names.weight, how);
    if (!names.bias.empty()) {
        linear.bias = load(names.bias, how);
    }
    return linear;
}

FeedForward WeightReader::load(const model::FeedForwardNames& names,
                               const model::FeedForwardSpec& spec, Load how) {
    FeedForward result;
    result.gate = load(model::LinearNames{names.gate, names.gateBias}, how);
    result.up = load(model::LinearNames{names.up, names.upBias}, how);
    result.down = load(model::LinearNames{names.down, names.downBias}, how);
    result.activation = spec.activation;
    result.clamped = spec.clamped;
    return result;
}

at::Tensor WeightReader::loadRows(const TensorRef& ref, std::span<const std::uint32_t> rows) {
    const LogicalTensor tensor(m_checkpoint, ref);
    requireMatrix(tensor, ref);
    at::Tensor result = at::empty(
        {static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(tensor.columns())},
        at::TensorOptions().dtype(m_place.dtype));
    auto* const to = static_cast<char*>(result.data_ptr());
    const std::uint64_t rowBytes = tensor.columns() * result.element_size();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i] >= tensor.rows()) {
            throw Error(ErrorCode::BadText,
                        fmt::format("token id {} is beyond the model's vocabulary of {}: the "
                                    "tokenizer does not belong to this checkpoint",
                                    rows[i], tensor.rows()));
        }
        decodeTo(tensor, {rows[i], 1, 0, tensor.columns()}, m_place.dtype, to + i * rowBytes);
    }
    const std::lock_guard lock(m_ledger->mutex);
    auto& seen = m_ledger->rows[placeOf(ref)];
    const std::size_t before = seen.size();
    seen.insert(rows.begin(), rows.end());
    m_ledger->bytesRead += (seen.size() - before) * tensor.storedRowBytes();
    return result;
}

void WeightReader::loadSlab(const TensorRef& ref, bool columns, std::uint64_t first,
                            std::uint64_t count, std::span<float> to) {
    const SlabPart part{this, &ref, to};
    loadSlabs({&part, 1}, columns, first, count);
}

void WeightReader::loadSlabs(std::span<const SlabPart> parts, bool columns, std::uint64_t first,
                             std::uint64_t count) {
    struct Task {
        const LogicalTensor* tensor;
        Window window;
        std::span<float> to;
    };
    std::vector<LogicalTensor> tensors;
    tensors.reserve(parts.size());
    std::vector<Task> tasks;
    for (const SlabPart& part : parts) {
        const LogicalTensor& tensor = tensors.emplace_back(part.reader->m_checkpoint, *part.ref);
        requireMatrix(tensor, *part.ref);
        part.reader->check(*part.ref, tensor);
        const Window slab = columns ? Window{0, tensor.rows(), first, count}
                                    : Window{first, count, 0, tensor.columns()};
        const std::uint64_t step = rowGrain(slab.columns);
        for (std::uint64_t row = 0; row < slab.rows; row += step) {
            const std::uint64_t rows = std::min(step, slab.rows - row);
            tasks.push_back({&tensor,
                             {slab.firstRow + row, rows, slab.firstColumn, slab.columns},
                             part.to.subspan(row * slab.columns, rows * slab.columns)});
        }
    }
    jobs::parallelFor(
        tasks.size(), threadsFor(tasks.size()), jobs::CancelToken(),
        [&](std::size_t i) { tasks[i].tensor->decode(tasks[i].window, tasks[i].to); });
}

void WeightReader::willNeed(const TensorRef& ref) const {
    if (!ref.empty()) {
        LogicalTensor(m_checkpoint, ref).willNeed();
    }
}

void WeightReader::release(const TensorRef& ref) const {
    if (ref.empty()) {
        return;
    }
    LogicalTensor(m_checkpoint, ref).dontNeed();
    const std::lock_guard lock(m_ledger->mutex);
    m_ledger->resident.erase(placeOf(ref));
}

}  // namespace moescope::engine
