// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/session/quantity.h"

namespace moescope::experiments {

/// Adds how the ids of the part's quantities "predicted" and "TABLE_predicted" are written that
/// stand nowhere in the text, which a session could not tell without the tokenizer: predicted_ids
/// (ascending), predicted_bytes, predicted_byte_offsets. Ids that the tokenizer has no bytes for
/// are left out, and all of them where the checkpoint has no tokenizer that can be read.
void addIdTexts(const engine::ModelContext& model, session::Part& part);

}  // namespace moescope::experiments
