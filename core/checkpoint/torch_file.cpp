// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/torch_file.h"

#include "core/base/error.h"
#include "core/checkpoint/pickle.h"
#include "core/checkpoint/zip_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <tuple>

namespace moescope::checkpoint {
namespace {

constexpr std::uint64_t kMaxPickleBytes = std::uint64_t{256} << 20U;

std::string_view asText(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Says what a file is that is no ZIP archive.
void requireArchive(std::span<const std::byte> file, std::string_view where) {
    using namespace std::string_view_literals;
    const std::string_view text = asText(file.first(std::min<std::size_t>(file.size(), 64)));
    if (text.starts_with("PK\x03\x04"sv)) {
        return;
    }
    if (text.starts_with("version https://git-lfs")) {
        throw Error(ErrorCode::BadCheckpoint,
                    fmt::format("{} is a Git LFS pointer, not the weights themselves; run \"git "
                                "lfs pull\" in its folder.",
                                where));
    }
    // A pickle of a 10-byte integer, PyTorch's old magic number.
    if (text.starts_with("\x80\x02\x8A\x0A"sv)) {
        throw Error(ErrorCode::Unsupported,
                    fmt::format("{} is in the format of PyTorch before 1.6. Save it again: "
                                "torch.save(torch.load(FILE, weights_only=True), FILE).",
                                where));
    }
    throwDamaged(where, "it is not a PyTorch file (no ZIP archive)");
}

/// "NAME/" of the only NAME/data.pkl.
std::string folderOf(const ZipArchive& archive, std::string_view where) {
    constexpr std::string_view kPickle = "/data.pkl";
    std::string folder;
    for (const auto& entry : archive.entries()) {
        const bool top = entry.name.ends_with(kPickle) &&
                         entry.name.find('/') == entry.name.size() - kPickle.size();
        if (top && !folder.empty()) {
            throwDamaged(where, "the archive holds more than one data.pkl");
        }
        if (top) {
            folder = entry.name.substr(0, entry.name.size() - kPickle.size() + 1);
        }
    }
    if (folder.empty()) {
        throw Error(ErrorCode::BadCheckpoint,
                    fmt::format("{} is a ZIP archive without data.pkl, so it is no file of "
                                "torch.save.",
                                where));
    }
    return folder;
}

void checkByteOrder(std::span<const std::byte> file, const ZipArchive& archive,
                    const std::string& folder, std::string_view where) {
    const auto* entry = archive.find(folder + "byteorder");
    if (entry != nullptr && asText(file.subspan(entry->offset, entry->size)) != "little") {
        throw Error(ErrorCode::Unsupported,
                    fmt::format("{} was written by a big-endian machine. Save it again on a "
                                "little-endian one.",
                                where));
    }
}

/// In C order without gaps. The stride of a dimension of one element means nothing.
bool isContiguous(const PickledTensor& tensor) {
    std::uint64_t expected = 1;
    for (std::size_t i = tensor.shape.size(); i-- > 0;) {
        if (tensor.shape[i] == 0) {
            return true;
        }
        if (tensor.shape[i] != 1 && tensor.strides[i] != expected) {
            return false;
        }
        expected *= tensor.shape[i];
    }
    return true;
}

void requireContiguous(const PickledTensor& tensor, std::string_view where) {
    if (!isContiguous(tensor)) {
        throw Error(ErrorCode::Unsupported,
                    fmt::format("{}: tensor \"{}\" is a view of another layout (transposed, or a "
                                "part of a larger tensor). Save a state dict of contiguous "
                                "tensors: {{name: t.contiguous() for name, t in "
                                "state_dict.items()}}.",
                                where, tensor.name));
    }
}

/// Where the tensor's elements lie in the file.
StoredTensor place(const PickledTensor& tensor, const ZipArchive& archive,
                   const std::string& folder, std::string_view where) {
    StoredTensor stored{.name = tensor.name, .dtype = tensor.dtype, .shape = tensor.shape};
    const std::uint64_t needed = neededBytes(stored, where);
    requireContiguous(tensor, where);
    const auto* entry = archive.find(folder + "data/" + tensor.storage);
    if (entry == nullptr) {
        throwDamaged(where, fmt::format("tensor \"{}\" lies in storage \"{}\", which is missing",
                                        tensor.name, tensor.storage));
    }
    const std::uint64_t elementBytes = sizeOf(tensor.storageDtype);
    if (tensor.storageElements > entry->size / elementBytes) {
        throwDamaged(where, fmt::format("storage \"{}\" of tensor \"{}\" needs {} elements of {} "
                                        "bytes, but has {} bytes",
                                        tensor.storage, tensor.name, tensor.storageElements,
                                        elementBytes, entry->size));
    }
    const std::uint64_t storageBytes = tensor.storageElements * elementBytes;
    const std::uint64_t size = sizeOf(tensor.dtype);
    if (tensor.offset > storageBytes / size || needed > storageBytes - tensor.offset * size) {
        throwDamaged(where, fmt::format("tensor \"{}\" needs {} bytes from element {} on, beyond "
                                        "the end of its storage of {} bytes",
                                        tensor.name, needed, tensor.offset, storageBytes));
    }
    stored.begin = entry->offset + tensor.offset * size;
    stored.end = stored.begin + needed;
    return stored;
}

}  // namespace

TorchFile readTorchFile(std::span<const std::byte> file, std::string_view where) {
    requireArchive(file, where);
    const ZipArchive archive(file, where);
    const std::string folder = folderOf(archive, where);
    checkByteOrder(file, archive, folder, where);
    const auto& pickle = *archive.find(folder + "data.pkl");
    if (pickle.size > kMaxPickleBytes) {
        throwDamaged(
            where, fmt::format("its pickle has {} bytes, more than any state dict's", pickle.size));
    }
    TorchFile result{.pickleBegin = pickle.offset, .pickleEnd = pickle.offset + pickle.size};
    for (const auto& tensor : readStateDict(file.subspan(pickle.offset, pickle.size), where)) {
        result.tensors.push_back(place(tensor, archive, folder, where));
    }
    std::sort(result.tensors.begin(), result.tensors.end(), [](const auto& a, const auto& b) {
        return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    return result;
}

}  // namespace moescope::checkpoint
