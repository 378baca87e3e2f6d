#include "base/processors.h"

#include "base/file.h"
#include "base/parallel.h"
#include "base/temporary_folder.h"
#include "support/catch.h"

using namespace calque;
using calque::test::TemporaryFolder;

namespace {

void put(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::create_directories(path.parent_path());
  write_file_atomically(path, content);
}

}  // namespace

TEST_CASE("this process may use at least one processor", "[base]") {
  CHECK(available_processors() >= 1);
}

TEST_CASE("without quota files nothing limits the processors", "[base]") {
  const TemporaryFolder mount;
  CHECK(quota_processors(mount.path(), "0::/\n") == 0);
  CHECK(quota_processors(mount.path(), "") == 0);
  CHECK(quota_processors(mount.path(), "not a cgroup file") == 0);
}

TEST_CASE("the quota of cgroup version 2 is read at every level", "[base]") {
  const TemporaryFolder mount;
  put(mount / "cpu.max", "max 100000\n");
  CHECK(quota_processors(mount.path(), "0::/\n") == 0);
  put(mount / "user.slice/cpu.max", "300000 100000\n");
  put(mount / "user.slice/job/cpu.max", "max 100000\n");
  CHECK(quota_processors(mount.path(), "0::/user.slice/job\n") == 3);
  put(mount / "user.slice/job/cpu.max", "150000 100000\n");
  CHECK(quota_processors(mount.path(), "0::/user.slice/job\n") == 1.5);
  CHECK(quota_processors(mount.path(), "0::/other\n") == 0);
}

TEST_CASE("a container that sees its cgroup as the top finds its quota", "[base]") {
  const TemporaryFolder mount;
  put(mount / "cpu.max", "200000 100000\n");
  CHECK(quota_processors(mount.path(), "0::/docker/0123abc\n") == 2);
  CHECK(quota_processors(mount.path(), "0::/../..\n") == 2);
}

TEST_CASE("the quota of cgroup version 1 is read", "[base]") {
  const TemporaryFolder mount;
  put(mount / "cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  put(mount / "cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  const std::string membership = "5:cpuset:/\n4:cpu,cpuacct:/docker/1\n1:name=systemd:/\n0::/\n";
  CHECK(quota_processors(mount.path(), membership) == 0);
  put(mount / "cpu,cpuacct/docker/1/cpu.cfs_quota_us", "400000\n");
  put(mount / "cpu,cpuacct/docker/1/cpu.cfs_period_us", "100000\n");
  CHECK(quota_processors(mount.path(), membership) == 4);
}
