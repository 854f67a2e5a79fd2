// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/stored_tensor.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

/// PyTorch's `.bin` files (torch.save of a state dict, since 1.6): a ZIP archive NAME/data.pkl,
/// NAME/data/KEY for each storage, NAME/byteorder, NAME/version, nothing of it compressed. Nothing
/// is executed, see pickle.h.
namespace moescope::checkpoint {

struct TorchFile {
    std::vector<StoredTensor> tensors{};  ///< by position in the file
    /// The pickle: what says which bytes are which tensor.
    std::uint64_t pickleBegin = 0, pickleEnd = 0;
};

/// Reads and checks a file's bytes; `where` names the file in messages. Each tensor is a contiguous
/// range of the file, two may share one. Throws Error(BadCheckpoint) naming file and tensor for
/// damaged files; Error(Unsupported) for the format before PyTorch 1.6, big-endian files, tensors
/// that are not stored in C order, and pickles that hold anything but tensors.
[[nodiscard]] TorchFile readTorchFile(std::span<const std::byte> file, std::string_view where);

}  // namespace moescope::checkpoint
