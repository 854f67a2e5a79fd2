// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/nd_array.h"
#include "core/checkpoint/dtype.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// PyTorch state dicts are pickles, and a pickle is a program for a stack machine that may call any
/// function of Python. This reader runs no code: it knows the instructions with which torch.save
/// writes a dict of tensors and the few names such a pickle needs, builds plain descriptions of
/// tensors, and refuses everything else by name ("os.system").
namespace moescope::checkpoint {

/// A tensor of a state dict as its pickle describes it: a view of a storage.
struct PickledTensor {
    std::string name{};
    Dtype dtype = Dtype::F32;
    std::string storage{};              ///< the storage's key, "0"
    std::uint64_t storageElements = 0;  ///< of `storageDtype`
    Dtype storageDtype = Dtype::F32;
    std::uint64_t offset = 0;  ///< of the first element, in elements of `dtype`
    Shape shape{};
    Shape strides{};  ///< in elements
};

/// The tensors of a state dict in its order; `where` names the file in messages. Reads untrusted
/// bytes: memory and time stay in proportion to them and below fixed limits. Throws
/// Error(Unsupported) for a name, instruction or value that no state dict of tensors needs, and
/// Error(BadCheckpoint) for a malformed pickle.
[[nodiscard]] std::vector<PickledTensor> readStateDict(std::span<const std::byte> pickle,
                                                       std::string_view where);

}  // namespace moescope::checkpoint
