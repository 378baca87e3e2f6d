#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

namespace calque {

/// Makes the folder `path` with the files that `fill` writes and syncs into the folder that it is
/// given: that one lies beside, and takes its place by one rename, so that at every moment either
/// all of it or nothing of it is there. Parents are made where they are missing.
///
/// Throws UserError naming path and reason, before any work when `path` is there and is not an
/// empty folder, or leads nowhere; and StoppedBySignal after SIGINT or SIGTERM, which a long `fill`
/// looks out for with `throw_if_stopped`.
void write_new_folder(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path&)>& fill);

/// Writes a file of such a folder and syncs it.
void write_synced(const std::filesystem::path& path, std::string_view text);

}  // namespace calque
