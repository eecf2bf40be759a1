#!/usr/bin/env bash
# Makes the layers that come from Debian: base.sh FOLDER leaves base.tar, storage.tar, libraries.tar and locales.tar there.
# Debian's own packages at the day of the build; the folder they are cached in is named by this file's content.
set -euo pipefail
umask 022
folder=$1
root=$folder/root
. "$(dirname "$0")/../lib/packages.sh" # apt_update

# Beside what Debian calls required: certificates, a process list for whoever debugs in a pod, what Node links against (libatomic1),
# and three groups of files that become layers of their own. Libraries: of PostgreSQL other than 16.2, which has its own.
storage=(btrfs-progs liblzo2-2 xfsprogs libinih1 liburcu8 e2fsprogs libext2fs2 libss2 logsave)
libraries=(libxml2 libicu72 libxslt1.1 libgssapi-krb5-2 libkrb5-3 libk5crypto3 libkrb5support0 libkeyutils1 libcom-err2
  libreadline8 readline-common libossp-uuid16)
locales=(locales libc-l10n)
# What only installs packages has no place in an image that nothing is installed into.
unused=(apt libapt-pkg6.0 gpgv debian-archive-keyring perl-base debconf adduser openssl init-system-helpers
  libgnutls30 libhogweed6 libnettle8 libp11-kit0 libtasn1-6 libunistring2 libidn2-0 libffi8 libseccomp2)

main() {
  local also
  also=$(IFS=, && echo "${libraries[*]}")
  debootstrap --variant=minbase --include="ca-certificates,procps,xz-utils,btrfs-progs,libinih1,liburcu8,locales,libatomic1,$also" bookworm "$root"
  unpack_xfsprogs
  chroot "$root" localedef -i en_US -f UTF-8 -A /usr/share/locale/locale.alias en_US.UTF-8
  list_packages
  files_of xfsprogs | grep -v '/\(mkfs\.xfs\|xfs_growfs\|xfs_repair\|copyright\)$' | move_to unused
  files_of "${storage[@]}" | move_to storage
  files_of "${libraries[@]}" | move_to libraries
  (cd "$root" && find usr/lib/locale -type f ! -path '*/C.utf8/*') | move_to locales
  files_of "${locales[@]}" "${unused[@]}" | move_to unused
  rm "$folder/unused.tar"
  # By name, not by package: documentation, caches, package lists, and what debootstrap took over from this machine.
  cd "$root"
  find usr/share/doc -type f ! -name copyright -delete
  find etc/alternatives -name '*.gz' -delete # links to manual pages
  rm -rf usr/share/{man,info,locale,lintian,bash-completion,i18n,perl5,zsh,bug,common-licenses} usr/lib/{apt,dpkg} \
    var/cache/* var/lib/{apt,dpkg,systemd} var/log/* etc/{apt,resolv.conf,hostname,.pwd.lock,passwd-,group-,shadow-,gshadow-} \
    tmp/* run/* dev/* proc/* sys/*
  # The owner of databases, numbered as in the official PostgreSQL image, and the user of programs that need no rights.
  printf '%s\n' postgres:x:999:999:PostgreSQL:/var/lib/postgresql:/bin/bash nonroot:x:65532:65532::/:/usr/sbin/nologin >>etc/passwd
  printf '%s\n' postgres:x:999: nonroot:x:65532: >>etc/group
  find . -mindepth 1 -printf '%P\n' | pack base
  rm -rf "$root"
}

# Without what it depends on for other programs than these three: Python, ICU, libedit.
unpack_xfsprogs() {
  (cd "$folder" && { apt-get download xfsprogs || { apt_update && apt-get download xfsprogs; }; })
  dpkg --root="$root" --force-depends --unpack "$folder"/xfsprogs_*.deb
  rm "$folder"/xfsprogs_*.deb
}

# Packages still name files in /bin, /lib and their kin, which are links into /usr: a layer that held them would replace the links.
files_of() { dpkg-query --admindir="$root/var/lib/dpkg" --listfiles "$@" | sed -E 's,^/,,; s,^(bin|sbin|lib|lib64)/,usr/\1/,'; }

# Which packages each layer has files of, for the images' bills of materials: LAYER.packages.
list_packages() {
  local format='${Package}\t${Version}\t${Architecture}\t${source:Package}\n'
  dpkg-query --admindir="$root/var/lib/dpkg" --show --showformat="$format" >"$folder/all"
  grep -P "^($(IFS='|'; echo "${storage[*]}"))\t" "$folder/all" >"$folder/storage.packages"
  grep -P "^($(IFS='|'; echo "${libraries[*]}"))\t" "$folder/all" >"$folder/libraries.packages"
  grep -P "^($(IFS='|'; echo "${locales[*]}"))\t" "$folder/all" >"$folder/locales.packages"
  grep -vP "^($(IFS='|'; echo "${storage[*]}|${libraries[*]}|${locales[*]}|${unused[*]}"))\t" "$folder/all" >"$folder/base.packages"
  rm "$folder/all"
}

# move_to LAYER: moves the files (no folders, and not /bin, which is a link to one) named on standard input out of the root and into LAYER.tar.
move_to() {
  (cd "$root" && sort -u | while read -r file; do if [ ! -d "$file" ] && { [ -e "$file" ] || [ -L "$file" ]; }; then echo "$file"; fi; done) |
    grep -v '^usr/share/\(doc\|man\|locale\|info\)/' >"$folder/files" # documentation is dropped with all other
  pack "$1" <"$folder/files"
  (cd "$root" && xargs -d '\n' rm -f) <"$folder/files"
  rm "$folder/files"
}

# pack LAYER: puts the files and folders named on standard input into LAYER.tar. The same files give the same bytes.
pack() {
  LC_ALL=C sort | tar --create --file "$folder/$1.tar" --directory "$root" --no-recursion --verbatim-files-from \
    --files-from - --mtime=@0 --numeric-owner --format=gnu
}

main
