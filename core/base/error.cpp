// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"

namespace moescope {

std::string_view name(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::Usage:
            return "usage";
        case ErrorCode::FileNotFound:
            return "file_not_found";
        case ErrorCode::FileUnreadable:
            return "file_unreadable";
        case ErrorCode::FileUnwritable:
            return "file_unwritable";
        case ErrorCode::DiskFull:
            return "disk_full";
        case ErrorCode::BadCheckpoint:
            return "bad_checkpoint";
        case ErrorCode::MissingTensor:
            return "missing_tensor";
        case ErrorCode::BadShape:
            return "bad_shape";
        case ErrorCode::UnknownFamily:
            return "unknown_family";
        case ErrorCode::Unsupported:
            return "unsupported";
        case ErrorCode::BadText:
            return "bad_text";
        case ErrorCode::BadTokenizer:
            return "bad_tokenizer";
        case ErrorCode::BadSession:
            return "bad_session";
        case ErrorCode::SessionTooNew:
            return "session_too_new";
        case ErrorCode::BaselineMismatch:
            return "baseline_mismatch";
        case ErrorCode::MemoryBudget:
            return "memory_budget";
        case ErrorCode::OutOfMemory:
            return "out_of_memory";
        case ErrorCode::Device:
            return "device";
        case ErrorCode::Cancelled:
            return "cancelled";
        case ErrorCode::Internal:
            return "internal";
    }
    return "internal";
}

int exitCode(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::Usage:
            return 2;
        case ErrorCode::FileNotFound:
        case ErrorCode::FileUnreadable:
            return 3;
        case ErrorCode::BadCheckpoint:
        case ErrorCode::MissingTensor:
        case ErrorCode::BadShape:
        case ErrorCode::UnknownFamily:
        case ErrorCode::Unsupported:
        case ErrorCode::BadTokenizer:
        case ErrorCode::BaselineMismatch:
            return 4;
        case ErrorCode::BadText:
            return 5;
        case ErrorCode::BadSession:
        case ErrorCode::SessionTooNew:
            return 6;
        case ErrorCode::FileUnwritable:
        case ErrorCode::DiskFull:
            return 7;
        case ErrorCode::MemoryBudget:
        case ErrorCode::OutOfMemory:
        case ErrorCode::Device:
            return 8;
        case ErrorCode::Cancelled:
            return 130;
        case ErrorCode::Internal:
            return 1;
    }
    return 1;
}

}  // namespace moescope
