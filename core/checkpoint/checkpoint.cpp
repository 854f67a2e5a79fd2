// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/checkpoint.h"

#include "core/base/direct_file.h"
#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/base/sha256.h"
#include "core/checkpoint/gguf_model.h"
#include "core/checkpoint/layout.h"
#include "core/checkpoint/weight_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <mutex>

namespace moescope::checkpoint {
namespace {

constexpr std::uint64_t kMaxConfigBytes = std::uint64_t{16} << 20U;
constexpr std::uint64_t kSampleBytes = 4096;
constexpr std::uint64_t kWholeFileBytes = std::uint64_t{8} << 20U;
constexpr std::uint64_t kMaxSamples = 4096;  ///< over all files

/// Hashes all of a small file, else evenly spaced blocks with the first and the last.
void hashContent(Sha256& hash, std::span<const std::byte> data, std::uint64_t samples) {
    if (data.size() <= kWholeFileBytes) {
        hash.update(data);
        return;
    }
    const std::uint64_t last = data.size() - kSampleBytes;
    for (std::uint64_t i = 0; i < samples; ++i) {
        const std::uint64_t step = last / (samples - 1);
        const std::uint64_t offset = i + 1 == samples ? last : i * step;
        hash.update(data.subspan(offset, kSampleBytes));
    }
}

bool byName(const TensorView& a, const TensorView& b) {
    return a.name < b.name;
}

}  // namespace

struct Checkpoint::Impl {
    CheckpointLayout layout;
    std::string configText;
    std::vector<WeightFile> shards;
    std::vector<CheckpointFile> files;
    std::vector<TensorView> tensors;
    std::deque<std::string> names;  ///< of tensors whose names were made
    std::once_flag openedDirect;
    std::vector<std::unique_ptr<DirectFile>> direct;  ///< by file, those that can be read so

    void openShards(Contents contents);
    void collectTensors();
    void collectGguf();
    void add(const StoredTensor& stored, int file, std::uint32_t interleavedHeads);
    void sortTensors();
    void checkIndex() const;
    [[nodiscard]] std::string fileName(int fileIndex) const {
        return files[static_cast<std::size_t>(fileIndex)].path.filename().string();
    }
    [[nodiscard]] const TensorView* find(std::string_view tensorName) const;
};

void Checkpoint::Impl::openShards(Contents contents) {
    shards.reserve(layout.shards.size());
    for (const auto& path : layout.shards) {
        shards.push_back(openWeightFile(path, layout.format, contents));
        files.push_back({.path = path, .bytes = shards.back().file.bytes().size()});
    }
}

void Checkpoint::Impl::add(const StoredTensor& stored, int file, std::uint32_t interleavedHeads) {
    TensorView view{.name = stored.name, .dtype = stored.dtype, .shape = stored.shape};
    const auto bytes = shards[static_cast<std::size_t>(file)].file.bytes();
    view.fileIndex = file;
    view.fileOffset = stored.begin;
    view.interleavedHeads = interleavedHeads;
    if (stored.end <= bytes.size()) {
        view.bytes = bytes.subspan(stored.begin, stored.end - stored.begin);
    }
    tensors.push_back(std::move(view));
}

void Checkpoint::Impl::collectTensors() {
    for (std::size_t i = 0; i < shards.size(); ++i) {
        for (const auto& stored : shards[i].tensors) {
            add(stored, static_cast<int>(i), 0);
        }
    }
}

void Checkpoint::Impl::collectGguf() {
    std::vector<GgufShard> parts;
    for (std::size_t i = 0; i < shards.size(); ++i) {
        parts.push_back({.path = files[i].path,
                         .bytes = shards[i].file.bytes(),
                         .header = std::move(*shards[i].gguf)});
    }
    GgufModel model = translateGguf(parts);
    configText = std::move(model.configText);
    for (auto& tensor : model.tensors) {
        names.push_back(std::move(tensor.stored.name));
        tensor.stored.name.clear();
        add(tensor.stored, tensor.file, tensor.interleavedHeads);
        tensors.back().name = names.back();
    }
}

void Checkpoint::Impl::sortTensors() {
    std::sort(tensors.begin(), tensors.end(), byName);
    const auto twice =
        std::adjacent_find(tensors.begin(), tensors.end(),
                           [](const auto& a, const auto& b) { return a.name == b.name; });
    if (twice != tensors.end()) {
        throw Error(
            ErrorCode::BadCheckpoint,
            fmt::format("{}: tensor \"{}\" is in two shards, {} and {}.", layout.folder.string(),
                        twice->name, fileName(twice->fileIndex), fileName((twice + 1)->fileIndex)));
    }
}

/// Every tensor that the index names must be in the shard where the index puts it.
void Checkpoint::Impl::checkIndex() const {
    for (const auto& [tensorName, shard] : layout.index) {
        const TensorView* view = find(tensorName);
        if (view == nullptr || fileName(view->fileIndex) != shard) {
            throw Error(
                view == nullptr ? ErrorCode::MissingTensor : ErrorCode::BadCheckpoint,
                fmt::format("{}: the index puts tensor \"{}\" into {}, but it is {}. Download "
                            "the model again.",
                            layout.folder.string(), tensorName, shard,
                            view == nullptr ? "not there" : "in " + fileName(view->fileIndex)));
        }
    }
}

const TensorView* Checkpoint::Impl::find(std::string_view tensorName) const {
    const auto it =
        std::lower_bound(tensors.begin(), tensors.end(), TensorView{.name = tensorName}, byName);
    return it != tensors.end() && it->name == tensorName ? &*it : nullptr;
}

Checkpoint::Checkpoint(const std::filesystem::path& path, Contents contents)
    : m_impl(std::make_unique<Impl>()) {
    m_impl->layout = resolveLayout(path);
    const bool isGguf = m_impl->layout.format == WeightFormat::Gguf;
    if (!isGguf) {
        m_impl->configText = readTextFile(m_impl->layout.folder / "config.json", kMaxConfigBytes);
    }
    m_impl->openShards(contents);
    if (isGguf) {
        m_impl->collectGguf();
    } else {
        m_impl->collectTensors();
    }
    m_impl->sortTensors();
    m_impl->checkIndex();
}

Checkpoint::~Checkpoint() = default;
Checkpoint::Checkpoint(Checkpoint&&) noexcept = default;
Checkpoint& Checkpoint::operator=(Checkpoint&&) noexcept = default;

const std::filesystem::path& Checkpoint::folder() const {
    return m_impl->layout.folder;
}

std::string Checkpoint::displayName() const {
    return m_impl->layout.displayName;
}

const std::string& Checkpoint::configText() const {
    return m_impl->configText;
}

std::filesystem::path Checkpoint::configPath() const {
    return m_impl->layout.format == WeightFormat::Gguf ? m_impl->files.front().path
                                                       : folder() / "config.json";
}

std::filesystem::path Checkpoint::tokenizerPath() const {
    return m_impl->layout.format == WeightFormat::Gguf ? m_impl->files.front().path : folder();
}

const std::vector<CheckpointFile>& Checkpoint::files() const {
    return m_impl->files;
}

const std::vector<TensorView>& Checkpoint::tensors() const {
    return m_impl->tensors;
}

std::vector<std::string_view> Checkpoint::tensorNames() const {
    std::vector<std::string_view> names;
    names.reserve(m_impl->tensors.size());
    for (const auto& tensor : m_impl->tensors) {
        names.push_back(tensor.name);
    }
    return names;
}

std::optional<TensorView> Checkpoint::find(std::string_view tensorName) const {
    const TensorView* view = m_impl->find(tensorName);
    return view != nullptr ? std::optional<TensorView>(*view) : std::nullopt;
}

TensorView Checkpoint::require(std::string_view tensorName) const {
    const TensorView* view = m_impl->find(tensorName);
    if (view == nullptr) {
        throw Error(ErrorCode::MissingTensor,
                    fmt::format("{}: tensor \"{}\" is missing; the checkpoint is incomplete or of "
                                "another kind than its config.json says.",
                                folder().string(), tensorName));
    }
    return *view;
}

void Checkpoint::willNeed(const TensorView& tensor) const {
    const auto& shard = m_impl->shards.at(static_cast<std::size_t>(tensor.fileIndex));
    shard.file.willNeed(tensor.fileOffset, tensor.bytes.size());
}

void Checkpoint::dontNeed(const TensorView& tensor) const {
    const auto& shard = m_impl->shards.at(static_cast<std::size_t>(tensor.fileIndex));
    shard.file.dontNeed(tensor.fileOffset, tensor.bytes.size());
}

bool Checkpoint::isCached(const TensorView& tensor) const {
    const auto& shard = m_impl->shards.at(static_cast<std::size_t>(tensor.fileIndex));
    return shard.file.isCached(tensor.fileOffset, tensor.bytes.size());
}

double Checkpoint::cachedShare() const {
    constexpr std::uint64_t kSamples = 64;  // of a file
    std::uint64_t cached = 0;
    for (const auto& shard : m_impl->shards) {
        const std::uint64_t size = shard.file.bytes().size();
        for (std::uint64_t i = 0; i < kSamples; ++i) {
            cached += shard.file.isCached(size / kSamples * i, kSampleBytes) ? 1U : 0U;
        }
    }
    return static_cast<double>(cached) / static_cast<double>(kSamples * m_impl->shards.size());
}

std::size_t Checkpoint::directRoom(const TensorView& tensor) {
    return DirectFile::roomFor(tensor.fileOffset, tensor.bytes.size());
}

std::optional<std::size_t> Checkpoint::readDirect(const TensorView& tensor,
                                                  std::span<std::byte> to) const {
    std::call_once(m_impl->openedDirect, [this] {
        for (const auto& shard : m_impl->shards) {
            m_impl->direct.push_back(shard.file.openDirect());
        }
    });
    const auto& file = m_impl->direct.at(static_cast<std::size_t>(tensor.fileIndex));
    return file ? file->read(tensor.fileOffset, tensor.bytes.size(), to) : std::nullopt;
}

void Checkpoint::requireWhole() const {
    for (const auto& shard : m_impl->shards) {
        shard.file.requireWhole();
    }
}

std::string Checkpoint::identity() const {
    Sha256 hash;
    hash.update(fmt::format("moescope-checkpoint-1 {}\n", m_impl->configText.size()));
    hash.update(m_impl->configText);
    const std::uint64_t samples =
        std::clamp<std::uint64_t>(kMaxSamples / m_impl->shards.size(), 8, 256);
    for (const auto& shard : m_impl->shards) {
        const auto bytes = shard.file.bytes();
        hash.update(fmt::format("\n{} {}\n", bytes.size(), shard.header().size()));
        hash.update(shard.header());
        // A header in front is not looked at twice.
        shard.file.expectScattered(true);
        hashContent(hash, bytes.subspan(shard.headerBegin == 0 ? shard.headerEnd : 0), samples);
        shard.file.expectScattered(false);
    }
    return hash.hexDigest();
}

}  // namespace moescope::checkpoint
