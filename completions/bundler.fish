# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_bundler_global_optspecs
    string join \n format= q/quiet v/verbose color= lang= progress= offline config= jobs= ca-file= helm= h/help V/version
end

function __fish_bundler_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_bundler_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_bundler_using_subcommand
    set -l cmd (__fish_bundler_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c bundler -n "__fish_bundler_needs_command" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_needs_command" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_needs_command" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_needs_command" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_needs_command" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_needs_command" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_needs_command" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_needs_command" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_needs_command" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_needs_command" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_needs_command" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_needs_command" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "init" -d 'Start a catalog from what you have: lists of images, charts, Hauler, helmfile, a running cluster'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "add" -d 'Add an image, a chart or a release\'s file to the catalog, in the newest version that fits'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "resolve" -d 'Choose the newest stable versions that match the platform, and write the lock'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "pack" -d 'Fetch what the lock names into one offline bundle'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "verify" -d 'Check every byte of a bundle, offline'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "inspect" -d 'Show what is inside a bundle or a lock, what it weighs and where it came from'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "diff" -d 'Compare two locks or bundles: versions, images, bytes to fetch'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "images" -d 'List the images that the components of the catalog run, or those of any chart, and where each was found'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "load" -d 'Load the images of a bundle into containerd, k3s, docker, podman or an OCI layout'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "unload" -d 'Remove the images that only this bundle brought'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "push" -d 'Push the images and charts of bundles to a registry, and write what nodes need to find them there'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "serve" -d 'Give out bundles over HTTP: images as a registry, charts as a Helm repository, files by name'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "apply" -d 'Put a base and a delta together: the full bundle, byte for byte the published one'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "sign" -d 'Add an SSH signature to a bundle'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "cache" -d 'Look after the store of everything that was fetched'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "schema" -d 'Print the JSON Schema of a file format, or of what a command writes with `--format json`'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "man" -d 'Print the manual page'
complete -c bundler -n "__fish_bundler_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bundler -n "__fish_bundler_using_subcommand init" -l images -d 'A list of images, one reference a line, such as k3s-images.txt; each input may be given more than once' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand init" -l charts -d 'A directory of charts, packed or not; `--repository` says where they come from' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand init" -l hauler -d 'A manifest of Hauler: Images, Charts and Files' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand init" -l pods -d 'What `kubectl get pods -A -o json` prints' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand init" -l helmfile-list -d 'What `helmfile list --output json` prints' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand init" -l repository -d 'Where charts come from: all, or with NAME one chart or those of helmfile\'s repository; may be given more than once' -r
complete -c bundler -n "__fish_bundler_using_subcommand init" -l kubernetes -d 'The Kubernetes minor of the sites' -r
complete -c bundler -n "__fish_bundler_using_subcommand init" -l arch -d 'An architecture of the sites; may be given more than once' -r
complete -c bundler -n "__fish_bundler_using_subcommand init" -l name -d 'The bundle\'s name' -r
complete -c bundler -n "__fish_bundler_using_subcommand init" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand init" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand init" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand init" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand init" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand init" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand init" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand init" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand init" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand init" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand init" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand init" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand add; and not __fish_seen_subcommand_from image chart file help" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand add; and not __fish_seen_subcommand_from image chart file help" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand add; and not __fish_seen_subcommand_from image chart file help" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand add; and not __fish_seen_subcommand_from image chart file help" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand add; and not __fish_seen_subcommand_from image chart file help" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and not __fish_seen_subcommand_from image chart file help" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and not __fish_seen_subcommand_from image chart file help" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and not __fish_seen_subcommand_from image chart file help" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and not __fish_seen_subcommand_from image chart file help" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand add; and not __fish_seen_subcommand_from image chart file help" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand add; and not __fish_seen_subcommand_from image chart file help" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand add; and not __fish_seen_subcommand_from image chart file help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand add; and not __fish_seen_subcommand_from image chart file help" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand add; and not __fish_seen_subcommand_from image chart file help" -f -a "image" -d 'An image, by its repository; a tag says what tags look like, and the lowest version'
complete -c bundler -n "__fish_bundler_using_subcommand add; and not __fish_seen_subcommand_from image chart file help" -f -a "chart" -d 'A Helm chart, by its repository and name'
complete -c bundler -n "__fish_bundler_using_subcommand add; and not __fish_seen_subcommand_from image chart file help" -f -a "file" -d 'A file of the releases of a repository on GitHub'
complete -c bundler -n "__fish_bundler_using_subcommand add; and not __fish_seen_subcommand_from image chart file help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -l name -d 'The component\'s name [default: that of what is added]' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -l version -d 'Only these versions, such as `>=2, <3` [default: the newest, and what is compatible with it]' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -l pattern -d 'What tags look like, such as `v{version}`, instead of a guess' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -l min-age -d 'How many days old a release has to be, instead of the policy\'s; for images and charts without a date `0d`' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -l profile -d 'Put it into this profile; may be given more than once [default: the only profile, where there is one]' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -l catalog -d 'The catalog\'s directory' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -l lock -d 'The lock' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -l cache-dir -d 'The store of everything that was fetched [env: BUNDLER_CACHE_DIR] [default: $XDG_CACHE_HOME/bundler]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -s y -l yes -d 'Take the guess without asking, also on a terminal'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -l dry-run -d 'Write nothing; show what would be written'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from image" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l values -d 'The chart\'s values: they become values.yaml beside the component, for the render here and on the site' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l namespace -d 'The namespace that it is installed in [default: that of its release\'s name]' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l name -d 'The component\'s name [default: that of what is added]' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l version -d 'Only these versions, such as `>=2, <3` [default: the newest, and what is compatible with it]' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l pattern -d 'What tags look like, such as `v{version}`, instead of a guess' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l min-age -d 'How many days old a release has to be, instead of the policy\'s; for images and charts without a date `0d`' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l profile -d 'Put it into this profile; may be given more than once [default: the only profile, where there is one]' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l catalog -d 'The catalog\'s directory' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l lock -d 'The lock' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l cache-dir -d 'The store of everything that was fetched [env: BUNDLER_CACHE_DIR] [default: $XDG_CACHE_HOME/bundler]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -s y -l yes -d 'Take the guess without asking, also on a terminal'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l dry-run -d 'Write nothing; show what would be written'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from chart" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -l name -d 'The component\'s name [default: that of what is added]' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -l version -d 'Only these versions, such as `>=2, <3` [default: the newest, and what is compatible with it]' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -l pattern -d 'What tags look like, such as `v{version}`, instead of a guess' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -l min-age -d 'How many days old a release has to be, instead of the policy\'s; for images and charts without a date `0d`' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -l profile -d 'Put it into this profile; may be given more than once [default: the only profile, where there is one]' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -l catalog -d 'The catalog\'s directory' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -l lock -d 'The lock' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -l cache-dir -d 'The store of everything that was fetched [env: BUNDLER_CACHE_DIR] [default: $XDG_CACHE_HOME/bundler]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -s y -l yes -d 'Take the guess without asking, also on a terminal'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -l dry-run -d 'Write nothing; show what would be written'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from file" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from help" -f -a "image" -d 'An image, by its repository; a tag says what tags look like, and the lowest version'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from help" -f -a "chart" -d 'A Helm chart, by its repository and name'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from help" -f -a "file" -d 'A file of the releases of a repository on GitHub'
complete -c bundler -n "__fish_bundler_using_subcommand add; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -l catalog -d 'The catalog\'s directory' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -l lock -d 'The lock' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -l cache-dir -d 'The store of everything that was fetched [env: BUNDLER_CACHE_DIR] [default: $XDG_CACHE_HOME/bundler]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -l as-of -d 'Choose as on the end of this day, UTC' -r
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -l check -d 'Write nothing; end with 1 and the difference on stdout when the lock is stale'
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -l dry-run -d 'Write nothing; show the difference'
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -l require-signatures -d 'Fail where the signatures that a component\'s `verify` names cannot be checked; needs cosign on PATH'
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -l skip-signatures -d 'Check no signatures: the lock says so, and keeps what it says of the same digests'
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand resolve" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l arch -d 'The architecture of the site; twice for one bundle with both' -r
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l profile -d 'Only the components of this profile; may be given more than once [default: all profiles]' -r
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l component -d 'Only this component; may be given more than once' -r
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l catalog -d 'The catalog\'s directory' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l lock -d 'The lock' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l cache-dir -d 'The store of everything that was fetched [env: BUNDLER_CACHE_DIR] [default: $XDG_CACHE_HOME/bundler]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand pack" -s o -l output -d 'The bundle, or a directory for one with the default name' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l bundle-version -d 'The bundle\'s version instead of the catalog\'s' -r
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l base -d 'Leave out what this bundle holds, for `bundler apply` on a site that has it; or what a bundle of the same selection holds by this older lock' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l have -d 'Leave out the files with these digests, one sha256 a line' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l split-size -d 'Cut a bundle that is larger into parts of this size, such as 2000MB: NAME.part-001 and so on' -r
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l from -d 'Take what this earlier bundle has instead of fetching it; an archive or the directory it was unpacked into, may be given more than once' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l sign-key -d 'Sign the bundle with this SSH key: a private key, or the public half of one that an agent or a security key holds' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l add-file -d 'Add a file that the lock does not know, such as files/bundler=./bundler' -r
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l allow-over-budget -d 'Pack a profile that weighs more than its `budget` in the catalog'
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l no-store -d 'Keep no second copy: write into the bundle alone'
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l with-signatures -d 'Carry the signatures, attestations and bills of materials that upstream attached to the images and the lock has'
complete -c bundler -n "__fish_bundler_using_subcommand pack" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand pack" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand pack" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand pack" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand pack" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand verify" -l base -d 'Of a delta, the bundle that it was made for: check what it leaves out too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand verify" -l signers -d 'Require a signature of somebody on this list, in the form of OpenSSH\'s allowed signers' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand verify" -l identity -d 'The name on the list that has to have signed' -r
complete -c bundler -n "__fish_bundler_using_subcommand verify" -l revoked -d 'Public keys that are not trusted any more, one a line' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand verify" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand verify" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand verify" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand verify" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand verify" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand verify" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand verify" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand verify" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand verify" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand verify" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand verify" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand verify" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand inspect" -l html -d 'Write the report as one page that needs no network: sizes down to layers, a list to sort and to search' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand inspect" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand inspect" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand inspect" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand inspect" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand inspect" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand inspect" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand inspect" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand inspect" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand inspect" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand inspect" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand inspect" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand inspect" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand diff" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand diff" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand diff" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand diff" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand diff" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand diff" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand diff" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand diff" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand diff" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand diff" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand diff" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand diff" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand images" -l chart -d 'A chart\'s archive instead of the catalog; no registry is asked' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand images" -l values -d 'A values file for the chart; may be given more than once, the later ones win' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand images" -l set -d 'A single value for the chart, as Helm\'s own `--set` takes it; may be given more than once' -r
complete -c bundler -n "__fish_bundler_using_subcommand images" -l kube-version -d 'Render the chart for this Kubernetes instead of Helm\'s own' -r
complete -c bundler -n "__fish_bundler_using_subcommand images" -l catalog -d 'The catalog\'s directory' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand images" -l lock -d 'The lock' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand images" -l cache-dir -d 'The store of everything that was fetched [env: BUNDLER_CACHE_DIR] [default: $XDG_CACHE_HOME/bundler]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand images" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand images" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand images" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand images" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand images" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand images" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand images" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand images" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand images" -l why -d 'Show where each image was found'
complete -c bundler -n "__fish_bundler_using_subcommand images" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand images" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand images" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand images" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand images" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand load" -l into -d 'containerd, k3s-dir[=DIR], docker, podman or oci-layout:DIR [default: the only one on this machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand load" -l address -d 'containerd\'s socket [env: CONTAINERD_ADDRESS]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand load" -l namespace -d 'containerd\'s namespace' -r
complete -c bundler -n "__fish_bundler_using_subcommand load" -l profile -d 'Only images of this profile; may be given more than once' -r
complete -c bundler -n "__fish_bundler_using_subcommand load" -l component -d 'Only images of this component; may be given more than once' -r
complete -c bundler -n "__fish_bundler_using_subcommand load" -l image -d 'Only this image, or without tag all of this repository; may be given more than once' -r
complete -c bundler -n "__fish_bundler_using_subcommand load" -l arch -d 'Images for this architecture [default: this machine\'s; all for oci-layout]' -r
complete -c bundler -n "__fish_bundler_using_subcommand load" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand load" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand load" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand load" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand load" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand load" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand load" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand load" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand load" -l allow-downgrade -d 'Load an older version of the bundle than the one that is loaded'
complete -c bundler -n "__fish_bundler_using_subcommand load" -l prune -d 'Afterwards remove what other versions of the bundle brought and no bundle needs'
complete -c bundler -n "__fish_bundler_using_subcommand load" -l dry-run -d 'Only tell what would be sent and removed'
complete -c bundler -n "__fish_bundler_using_subcommand load" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand load" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand load" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand load" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand load" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand unload" -l into -d 'containerd, k3s-dir[=DIR], docker, podman or oci-layout:DIR [default: the only one on this machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand unload" -l address -d 'containerd\'s socket [env: CONTAINERD_ADDRESS]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand unload" -l namespace -d 'containerd\'s namespace' -r
complete -c bundler -n "__fish_bundler_using_subcommand unload" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand unload" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand unload" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand unload" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand unload" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand unload" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand unload" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand unload" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand unload" -l dry-run -d 'Only tell what would be removed'
complete -c bundler -n "__fish_bundler_using_subcommand unload" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand unload" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand unload" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand unload" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand unload" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand push" -l profile -d 'Only what this profile carries; may be given more than once' -r
complete -c bundler -n "__fish_bundler_using_subcommand push" -l component -d 'Only what this component runs; may be given more than once' -r
complete -c bundler -n "__fish_bundler_using_subcommand push" -l image -d 'Only this image, or all tags of a name, and no charts; may be given more than once' -r
complete -c bundler -n "__fish_bundler_using_subcommand push" -l write -d 'Write what nodes need into this directory: containerd\'s certs.d/*/hosts.toml, the registries.yaml of k3s, and Helm values with `global.imageRegistry`' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand push" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand push" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand push" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand push" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand push" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand push" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand push" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand push" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand push" -l keep-registry -d 'Keep the original registry in the names: REGISTRY/PREFIX/quay.io/REPOSITORY'
complete -c bundler -n "__fish_bundler_using_subcommand push" -l dry-run -d 'Ask what is missing and send nothing'
complete -c bundler -n "__fish_bundler_using_subcommand push" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand push" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand push" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand push" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand push" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand serve" -l listen -d 'Where to listen; port 0 takes a free one, and stdout says which' -r
complete -c bundler -n "__fish_bundler_using_subcommand serve" -l tls-cert -d 'Serve https with this certificate and its chain, in PEM form' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand serve" -l tls-key -d 'The certificate\'s key, in PEM form' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand serve" -l htpasswd -d 'Ask for a user and a password of this file, which `htpasswd -B` wrote' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand serve" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand serve" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand serve" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand serve" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand serve" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand serve" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand serve" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand serve" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand serve" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand serve" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand serve" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand serve" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand apply" -s o -l output -d 'The full bundle, byte for byte the published one' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand apply" -l split-size -d 'Cut a bundle that is larger into parts of this size, such as 2000MB: FILE.part-001 and so on' -r
complete -c bundler -n "__fish_bundler_using_subcommand apply" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand apply" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand apply" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand apply" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand apply" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand apply" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand apply" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand apply" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand apply" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand apply" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand apply" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand apply" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand sign" -l key -d 'An SSH private key, or the public half of one that an agent or a security key holds' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand sign" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand sign" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand sign" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand sign" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand sign" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand sign" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand sign" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand sign" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand sign" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand sign" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand sign" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand sign" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand sign" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and not __fish_seen_subcommand_from ls gc verify help" -l cache-dir -d 'The store of everything that was fetched [env: BUNDLER_CACHE_DIR] [default: $XDG_CACHE_HOME/bundler]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand cache; and not __fish_seen_subcommand_from ls gc verify help" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand cache; and not __fish_seen_subcommand_from ls gc verify help" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand cache; and not __fish_seen_subcommand_from ls gc verify help" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand cache; and not __fish_seen_subcommand_from ls gc verify help" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand cache; and not __fish_seen_subcommand_from ls gc verify help" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand cache; and not __fish_seen_subcommand_from ls gc verify help" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand cache; and not __fish_seen_subcommand_from ls gc verify help" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand cache; and not __fish_seen_subcommand_from ls gc verify help" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand cache; and not __fish_seen_subcommand_from ls gc verify help" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and not __fish_seen_subcommand_from ls gc verify help" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and not __fish_seen_subcommand_from ls gc verify help" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and not __fish_seen_subcommand_from ls gc verify help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and not __fish_seen_subcommand_from ls gc verify help" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and not __fish_seen_subcommand_from ls gc verify help" -f -a "ls" -d 'Show what the store weighs'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and not __fish_seen_subcommand_from ls gc verify help" -f -a "gc" -d 'Remove blobs that nothing needs; never while another bundler uses the store'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and not __fish_seen_subcommand_from ls gc verify help" -f -a "verify" -d 'Hash every blob, and remove those that are damaged'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and not __fish_seen_subcommand_from ls gc verify help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from ls" -l cache-dir -d 'The store of everything that was fetched [env: BUNDLER_CACHE_DIR] [default: $XDG_CACHE_HOME/bundler]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from ls" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from ls" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from ls" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from ls" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from ls" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from ls" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from ls" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from ls" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from ls" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from gc" -l keep -d 'Keep what this lock needs; may be given more than once' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from gc" -l older-than -d 'Keep what was used in the last N days' -r
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from gc" -l cache-dir -d 'The store of everything that was fetched [env: BUNDLER_CACHE_DIR] [default: $XDG_CACHE_HOME/bundler]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from gc" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from gc" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from gc" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from gc" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from gc" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from gc" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from gc" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from gc" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from gc" -l dry-run -d 'Remove nothing; say what would be removed'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from gc" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from gc" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from gc" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from gc" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from gc" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from verify" -l cache-dir -d 'The store of everything that was fetched [env: BUNDLER_CACHE_DIR] [default: $XDG_CACHE_HOME/bundler]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from verify" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from verify" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from verify" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from verify" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from verify" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from verify" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from verify" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from verify" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from verify" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from verify" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from verify" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from verify" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from help" -f -a "ls" -d 'Show what the store weighs'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from help" -f -a "gc" -d 'Remove blobs that nothing needs; never while another bundler uses the store'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from help" -f -a "verify" -d 'Hash every blob, and remove those that are damaged'
complete -c bundler -n "__fish_bundler_using_subcommand cache; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bundler -n "__fish_bundler_using_subcommand schema" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand schema" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand schema" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand schema" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand schema" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand schema" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand schema" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand schema" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand schema" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand schema" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand schema" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand schema" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand completions" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand completions" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand completions" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand completions" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand completions" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand completions" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand completions" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand completions" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand completions" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand completions" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand completions" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand completions" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand man" -l format -d 'How data is written to stdout' -r -f -a "text\t'For people'
json\t'For programs'
markdown\t'For a pull request or a summary; only `diff` and `inspect` have it'"
complete -c bundler -n "__fish_bundler_using_subcommand man" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c bundler -n "__fish_bundler_using_subcommand man" -l lang -d 'The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]' -r -f -a "en\t'English'
zh\t'Chinese, in simplified characters'"
complete -c bundler -n "__fish_bundler_using_subcommand man" -l progress -d 'How to show progress on stderr' -r -f -a "auto\t'A bar on a terminal, else plain lines'
bar\t'A bar that is drawn again in place'
plain\t'One line every few seconds'
json\t'One JSON object a line, for programs'
none\t'Nothing but warnings'"
complete -c bundler -n "__fish_bundler_using_subcommand man" -l config -d 'Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand man" -l jobs -d 'How many things to do at once [default: what suits the machine]' -r
complete -c bundler -n "__fish_bundler_using_subcommand man" -l ca-file -d 'Trust the certificate authorities in this PEM file too' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand man" -l helm -d 'The Helm program that renders charts [default: `helm` on PATH, else the locked one]' -r -F
complete -c bundler -n "__fish_bundler_using_subcommand man" -s q -l quiet -d 'Show no progress; warnings and errors stay'
complete -c bundler -n "__fish_bundler_using_subcommand man" -s v -l verbose -d 'Show details'
complete -c bundler -n "__fish_bundler_using_subcommand man" -l offline -d 'Never use the network; what is not in the store is an error'
complete -c bundler -n "__fish_bundler_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bundler -n "__fish_bundler_using_subcommand man" -s V -l version -d 'Print version'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "init" -d 'Start a catalog from what you have: lists of images, charts, Hauler, helmfile, a running cluster'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "add" -d 'Add an image, a chart or a release\'s file to the catalog, in the newest version that fits'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "resolve" -d 'Choose the newest stable versions that match the platform, and write the lock'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "pack" -d 'Fetch what the lock names into one offline bundle'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "verify" -d 'Check every byte of a bundle, offline'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "inspect" -d 'Show what is inside a bundle or a lock, what it weighs and where it came from'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "diff" -d 'Compare two locks or bundles: versions, images, bytes to fetch'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "images" -d 'List the images that the components of the catalog run, or those of any chart, and where each was found'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "load" -d 'Load the images of a bundle into containerd, k3s, docker, podman or an OCI layout'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "unload" -d 'Remove the images that only this bundle brought'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "push" -d 'Push the images and charts of bundles to a registry, and write what nodes need to find them there'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "serve" -d 'Give out bundles over HTTP: images as a registry, charts as a Helm repository, files by name'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "apply" -d 'Put a base and a delta together: the full bundle, byte for byte the published one'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "sign" -d 'Add an SSH signature to a bundle'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "cache" -d 'Look after the store of everything that was fetched'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "schema" -d 'Print the JSON Schema of a file format, or of what a command writes with `--format json`'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "completions" -d 'Print the completion script of a shell'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "man" -d 'Print the manual page'
complete -c bundler -n "__fish_bundler_using_subcommand help; and not __fish_seen_subcommand_from init add resolve pack verify inspect diff images load unload push serve apply sign cache schema completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bundler -n "__fish_bundler_using_subcommand help; and __fish_seen_subcommand_from add" -f -a "image" -d 'An image, by its repository; a tag says what tags look like, and the lowest version'
complete -c bundler -n "__fish_bundler_using_subcommand help; and __fish_seen_subcommand_from add" -f -a "chart" -d 'A Helm chart, by its repository and name'
complete -c bundler -n "__fish_bundler_using_subcommand help; and __fish_seen_subcommand_from add" -f -a "file" -d 'A file of the releases of a repository on GitHub'
complete -c bundler -n "__fish_bundler_using_subcommand help; and __fish_seen_subcommand_from cache" -f -a "ls" -d 'Show what the store weighs'
complete -c bundler -n "__fish_bundler_using_subcommand help; and __fish_seen_subcommand_from cache" -f -a "gc" -d 'Remove blobs that nothing needs; never while another bundler uses the store'
complete -c bundler -n "__fish_bundler_using_subcommand help; and __fish_seen_subcommand_from cache" -f -a "verify" -d 'Hash every blob, and remove those that are damaged'
