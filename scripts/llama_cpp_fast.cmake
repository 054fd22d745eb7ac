# llama.cpp without its image, audio and command-line helpers, which xlit does not use: less to compile.
set(LLAMA_BUILD_COMMON OFF)
