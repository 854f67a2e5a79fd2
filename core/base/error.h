// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace moescope {

/// What kind of thing went wrong. The exit code of both programs follows from it (see exitCode()).
enum class ErrorCode {
    Usage,             ///< the command line or a dialog's input makes no sense
    FileNotFound,      ///< a file or folder does not exist
    FileUnreadable,    ///< exists but cannot be read (permissions, I/O error)
    FileUnwritable,    ///< cannot be created or written
    DiskFull,          ///< no space left while writing
    BadCheckpoint,     ///< a checkpoint's files are damaged or contradict each other
    MissingTensor,     ///< a tensor that the model needs is not in the checkpoint
    BadShape,          ///< a tensor or dataset has another shape or type than required
    UnknownFamily,     ///< no adapter for this kind of model
    Unsupported,       ///< known, but this program cannot do it
    BadText,           ///< the text input is empty or not decodable
    BadTokenizer,      ///< tokenizer files are damaged or of an unknown kind
    BadSession,        ///< a session file is damaged or not one of ours
    SessionTooNew,     ///< written by a newer major version of the format
    BaselineMismatch,  ///< a dense baseline does not fit the model
    MemoryBudget,      ///< the work does not fit into the stated memory budget
    OutOfMemory,       ///< the machine or the device ran out of memory
    Device,            ///< the asked-for device is absent or failed
    Cancelled,         ///< stopped on request; finished work is kept
    Internal           ///< a broken invariant: our bug
};

/// The one exception type that leaves core. `what()` is a complete sentence for the user: what
/// failed, where (file, tensor, dataset, line) and what to do.
class Error : public std::runtime_error {
public:
    Error(ErrorCode code, const std::string& message) : std::runtime_error(message), m_code(code) {}
    [[nodiscard]] ErrorCode code() const noexcept { return m_code; }

private:
    ErrorCode m_code;
};

/// A stable word for a code, used in JSON events and in tests ("bad_checkpoint").
[[nodiscard]] std::string_view name(ErrorCode code) noexcept;

/// Exit code of both programs: 0 success, 2 usage, 3 input not found or unreadable, 4 bad or
/// unsupported checkpoint, tokenizer or baseline, 5 bad text, 6 bad session, 7 cannot write, 8
/// memory or device, 130 cancelled, 1 anything else.
[[nodiscard]] int exitCode(ErrorCode code) noexcept;

}  // namespace moescope
