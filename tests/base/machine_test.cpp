#include "base/machine.h"

#include <cmath>

#include "base/file.h"
#include "base/scratch_folder.h"
#include "base/temporary_folder.h"
#include "support/catch.h"

using namespace calque;
using calque::test::TemporaryFolder;

namespace {

void put(const std::filesystem::path& path, const std::string& content) {
  make_folders(path.parent_path());
  write_file_atomically(path, content);
}

}  // namespace

TEST_CASE("the machine has a processor and some memory", "[base]") {
  CHECK(!processor_name().empty());
  CHECK(available_memory() > 1e6);
}

TEST_CASE("the tightest memory limit of a cgroup counts, less what is in use", "[base]") {
  const TemporaryFolder mount;
  CHECK(std::isinf(cgroup_memory_left(mount.path(), "0::/\n")));
  put(mount / "memory.max", "max\n");
  put(mount / "memory.current", "100\n");
  CHECK(std::isinf(cgroup_memory_left(mount.path(), "0::/job\n")));
  put(mount / "job/memory.max", "5000\n");
  put(mount / "job/memory.current", "3000\n");
  CHECK(cgroup_memory_left(mount.path(), "0::/job\n") == 2000);
  put(mount / "job/memory.stat", "anon 2000\ninactive_file 700\n");
  CHECK(cgroup_memory_left(mount.path(), "0::/job\n") == 2700);
  put(mount / "job/memory.current", "9000\n");
  CHECK(cgroup_memory_left(mount.path(), "0::/job\n") == 0);

  put(mount / "memory/docker/memory.limit_in_bytes", "800\n");
  put(mount / "memory/docker/memory.usage_in_bytes", "300\n");
  CHECK(cgroup_memory_left(mount.path(), "4:memory:/docker\n") == 500);
  CHECK(std::isinf(cgroup_memory_left(mount.path(), "4:cpu:/docker\n")));
}

TEST_CASE("a scratch folder is empty, and goes with all its content", "[base]") {
  const TemporaryFolder folder;
  put(folder / "deep/scratch/old", "x");
  std::filesystem::path own;
  {
    const ScratchFolder named(folder / "deep/scratch");
    CHECK(std::filesystem::is_empty(named.path()));
    put(named.path() / "inside/file", "x");
    const ScratchFolder unnamed;
    own = unnamed.path();
    CHECK(std::filesystem::is_empty(own));
  }
  CHECK(!std::filesystem::exists(folder / "deep/scratch"));
  CHECK(std::filesystem::exists(folder / "deep"));
  CHECK(!std::filesystem::exists(own));
}
