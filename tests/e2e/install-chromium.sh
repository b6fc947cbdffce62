#!/bin/sh
# The browser tests want Chromium. Install Debian's if it is missing and we may; they skip, and say so, without it.
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "no Chromium found, and not allowed to install it: the browser tests will be skipped" >&2
    exit 0
fi
echo "installing Debian's chromium for the browser tests" >&2
apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -q chromium >/dev/null ||
    echo "Chromium could not be installed: the browser tests will be skipped" >&2
