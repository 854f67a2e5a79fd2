// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/model/config.h"
#include "core/model/model_spec.h"

#include <string>

/// Quantised weights as config.json declares them. Families name tensors as if they were stored
/// plainly; what is packed is found here, beside them.
namespace moescope::model {

struct Quantisation {
    enum class Kind {
        None,
        Fp8,   ///< F8_E4M3 with scales
        Int8,  ///< I8 with scales
        Int4,  ///< "X.weight_packed": eight to an int32, scales by group
        Mxfp4  ///< "X_blocks" and "X_scales"
    };
    Kind kind = Kind::None;
    /// Values that share a scale; 0: all along that axis. Int4: tileColumns is the group.
    int tileRows = 0;
    int tileColumns = 0;
};

/// `quantization_config`, strictly: a method, format or number that is not known throws
/// Error(Unsupported | BadCheckpoint) naming key and value. Adds keys of unknown meaning to
/// `notes`.
[[nodiscard]] Quantisation readQuantisation(const Config& config, std::vector<std::string>& notes);

/// "FP8 (E4M3), a scale per tile of 128 x 128"; empty for none.
[[nodiscard]] std::string quantisationText(const Quantisation& quantisation);

/// Makes the references to packed tensors say so. Which tensors are packed is told by the
/// checkpoint: what is stored plainly stays as it is.
void applyQuantisation(const Quantisation& quantisation, const checkpoint::Checkpoint& checkpoint,
                       ModelSpec& spec);

/// The names that belong to a packed tensor beside values and scales.
[[nodiscard]] std::vector<std::string> companions(const TensorRef& ref);

}  // namespace moescope::model
