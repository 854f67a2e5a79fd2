# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
# LibTorch: Debian's 1.13 or any newer one. MOESCOPE_PYTHON_TORCH points to a Python interpreter with torch
# installed (the way to a CUDA build); otherwise CMAKE_PREFIX_PATH or Torch_DIR decide, as usual.

if(MOESCOPE_PYTHON_TORCH)
    execute_process(
        COMMAND "${MOESCOPE_PYTHON_TORCH}" -c
            "import torch; print(torch.utils.cmake_prefix_path, int(torch._C._GLIBCXX_USE_CXX11_ABI), sep=';')"
        OUTPUT_VARIABLE _moescope_torch OUTPUT_STRIP_TRAILING_WHITESPACE
        RESULT_VARIABLE _moescope_torch_status ERROR_VARIABLE _moescope_torch_error)
    if(NOT _moescope_torch_status EQUAL 0)
        message(FATAL_ERROR
            "MOESCOPE_PYTHON_TORCH=${MOESCOPE_PYTHON_TORCH} has no usable torch:\n${_moescope_torch_error}")
    endif()
    list(GET _moescope_torch 1 _moescope_torch_abi)
    if(NOT _moescope_torch_abi)
        message(FATAL_ERROR
            "The torch of ${MOESCOPE_PYTHON_TORCH} was built with the old C++ ABI and cannot be linked "
            "with system libraries; install torch 2.7 or newer.")
    endif()
    list(GET _moescope_torch 0 _moescope_torch_prefix)
    list(PREPEND CMAKE_PREFIX_PATH "${_moescope_torch_prefix}")
endif()

find_package(Torch REQUIRED)
# One name for whichever LibTorch was found; its headers are system headers to us.
add_library(moescope_torch INTERFACE)
target_link_libraries(moescope_torch INTERFACE ${TORCH_LIBRARIES})
target_include_directories(moescope_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
