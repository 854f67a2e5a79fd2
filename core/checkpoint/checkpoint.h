// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/nd_array.h"
#include "core/checkpoint/dtype.h"
#include "core/checkpoint/safetensors.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::checkpoint {

/// A tensor as it lies in a mapped file; name and bytes live as long as the Checkpoint. `bytes` is
/// empty where Contents::HeadersOnly was asked for and the data are not in the file.
struct TensorView {
    std::string_view name{};
    Dtype dtype = Dtype::F32;
    Shape shape{};
    std::span<const std::byte> bytes{};
    int fileIndex = 0;  ///< index into Checkpoint::files()
    /// Not 0: the matrix holds the rows of so many heads, and within each head row 2 p + h is row
    /// h * (rows of a head / 2) + p of the matrix that is meant, h 0 or 1. GGUF files of the Llama
    /// kind store queries and keys so.
    std::uint32_t interleavedHeads = 0;
    std::uint64_t fileOffset = 0;  ///< of the first byte, for read-ahead and messages
};

/// What a folder (or a file in it) turned out to be.
struct CheckpointFile {
    std::filesystem::path path;
    std::uint64_t bytes = 0;
};

/// A Hugging Face checkpoint folder: config.json beside single-file or sharded safetensors, or else
/// PyTorch .bin files (index json), or else a GGUF model (one file or a split set), which appears
/// as the checkpoint of its family: see gguf_model.h. Headers are read and bounds-checked on
/// opening; tensor data is only mapped. The hub's cache layout (models--*/snapshots/HASH with links
/// into blobs) is followed. Thread-safe after construction.
class Checkpoint {
public:
    /// `path`: the folder, or config.json, a weight file or an index json inside it, a GGUF file,
    /// or a hub cache folder. Throws Error(FileNotFound | BadCheckpoint | Unsupported) naming file
    /// and tensor; a folder that holds several checkpoints is refused with a message that lists
    /// them.
    explicit Checkpoint(const std::filesystem::path& path, Contents contents = Contents::Complete);
    ~Checkpoint();
    Checkpoint(Checkpoint&&) noexcept;
    Checkpoint& operator=(Checkpoint&&) noexcept;

    [[nodiscard]] const std::filesystem::path& folder() const;
    /// A name for people: the folder's, or "org/name" for a hub cache folder.
    [[nodiscard]] std::string displayName() const;
    /// config.json, verbatim; of a GGUF model what its metadata say in that form.
    [[nodiscard]] const std::string& configText() const;
    /// Where configText() comes from, for messages.
    [[nodiscard]] std::filesystem::path configPath() const;
    /// What holds the tokenizer, for text::loadTokenizer(): the folder, or the GGUF file.
    [[nodiscard]] std::filesystem::path tokenizerPath() const;
    [[nodiscard]] const std::vector<CheckpointFile>& files() const;

    [[nodiscard]] const std::vector<TensorView>& tensors() const;     ///< sorted by name
    [[nodiscard]] std::vector<std::string_view> tensorNames() const;  ///< sorted
    [[nodiscard]] std::optional<TensorView> find(std::string_view tensorName) const;
    /// Throws Error(MissingTensor) naming folder and tensor.
    [[nodiscard]] TensorView require(std::string_view tensorName) const;

    /// Streaming hints for a tensor's bytes.
    void willNeed(const TensorView& tensor) const;
    void dontNeed(const TensorView& tensor) const;
    /// Whether most of a tensor's bytes are in memory already, as after an earlier run.
    [[nodiscard]] bool isCached(const TensorView& tensor) const;
    /// Share of the weight files that is in memory, from samples.
    [[nodiscard]] double cachedShare() const;
    /// Reads a tensor's bytes past the page cache into aligned memory with directRoom() bytes (see
    /// DirectFile). Where in `to` they begin; nothing where the file system has no such reads.
    /// Throws Error(FileUnreadable).
    [[nodiscard]] std::optional<std::size_t> readDirect(const TensorView& tensor,
                                                        std::span<std::byte> to) const;
    [[nodiscard]] static std::size_t directRoom(const TensorView& tensor);
    /// Throws Error(FileUnreadable) naming a weight file that was cut short since it was opened.
    void requireWhole() const;

    /// SHA-256 over config.json and over header, size and sampled content of each weight file;
    /// tells base from instruct although their index files may be equal, and is independent of
    /// where the folder lies. Reads at most 8 MiB of a file and about 16 MiB in all.
    [[nodiscard]] std::string identity() const;

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

/// Checkpoints below `path` (itself, its children, a hub cache's snapshots), for a folder of
/// checkpoints: folders, and GGUF files where there is no config.json.
[[nodiscard]] std::vector<std::filesystem::path> findCheckpoints(const std::filesystem::path& path);

}  // namespace moescope::checkpoint
