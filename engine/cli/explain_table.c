/* What each error code means. The layout is: code, title, meaning, example, remedy. */
#include "cli/explain_table.h"

const struct explain explain_table[] = {
    {"A101", "the parameters of an AWS operation are not what it takes",
     "They were checked against the service's model before anything was sent: required members, types, lengths, names. "
     "The error names the path of each value that is wrong.",
     "aws.eks:create_cluster { name = \"demo\", rolArn = arn }\nerror[A101]: rolArn: no such member, did you mean "
     "\"roleArn\"?",
     "`dosrun help aws.eks.create_cluster` prints the members with their types and which are required."},
    {"A102", "an AWS service answered something else than its model says",
     "The answer is no JSON or XML of the operation's shape: a proxy's page, a cut body, or a service that speaks a "
     "newer version of its protocol. A call that changes something may have been done all the same: the change looks "
     "again.",
     "error[A102]: aws eks DescribeCluster: the answer is HTML, not JSON: \"Service Unavailable\"",
     "If a proxy is in the way, look at HTTPS_PROXY and the endpoint's URL. Otherwise run it again."},
    {"A103", "no endpoint of the AWS service fits",
     "The service's rules name no endpoint for this region and these settings: no region is configured, the "
     "service has no FIPS or dual-stack endpoint there, or a bucket's name and an option contradict each other.",
     "error[A103]: aws eks ListClusters: Invalid Configuration: Missing Region",
     "Set a region (--region, AWS_REGION, or `region` in the profile), or drop the option that the text names."},
    {"A104", "there is no such AWS service, operation or waiter",
     "Names are botocore's: the service's folder (elbv2, sso-oidc as sso_oidc), the operation in snake_case.",
     "aws.eks:describe_clusters {}\nerror[A104]: eks has no operation \"describe_clusters\", did you mean "
     "\"describe_cluster\"?",
     "`dosrun help aws` lists the services, `dosrun help aws.eks` the operations of one."},
    {"A105", "a service table cannot be used",
     "The file of further AWS services (a pack) was cut, was made for another version of dosrun, or says what cannot "
     "be.",
     "error[A105]: this is not a service table that can be used: it has another version (row 2)",
     "Make the pack anew with this dosrun: `dosrun aws add-service NAME`."},
    {"A106", "an AWS resource is somebody else's",
     "aws.ensure found a resource of that name which does not carry the tags dosrun:target and dosrun:id of this "
     "target, "
     "and would have to change it. What others made is not changed unless that is asked for.",
     "error[A106]: s3.bucket saves is there already and was not made by dosrun; it is not changed",
     "Choose another name, or take it over: adopt = true in the playbook, or --adopt \"s3.bucket saves\". Undo gives "
     "back "
     "what was there before."},
    {"A107", "a field of an AWS resource cannot be changed",
     "The kind says how the field is set when the resource is created, and nothing that changes or unsets it "
     "afterwards.",
     "error[A107]: sqs.queue jobs: fifo cannot be changed once it is there",
     "Leave the field as it is, or make a resource of another name."},
    {"A201", "a file of the aws CLI is wrong",
     "~/.aws/config or ~/.aws/credentials (or what AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name) has a line "
     "that "
     "is no setting, or a profile that cannot mean anything: a source_profile that is nowhere, a circle of roles, "
     "settings that exclude each other. The aws CLI would refuse it too.",
     "error[A201]: ~/.aws/config:12: profile prod: source_profile names \"base\", which is no profile",
     "Mend the line shown; `aws configure list --profile NAME` reads the same files."},
    {"A202", "there is no such AWS profile",
     "--profile, AWS_DEFAULT_PROFILE or AWS_PROFILE names a profile that neither file has. In ~/.aws/config a profile "
     "is written [profile NAME], in ~/.aws/credentials [NAME].",
     "error[A202]: there is no profile \"prodution\" (--profile) in ~/.aws/config or ~/.aws/credentials; did you mean "
     "\"production\"?",
     "Choose one that is there, or write it; `aws configure list-profiles` shows them."},
    {"A203", "no AWS credentials were found",
     "Every place where the aws CLI looks was looked at, in its order, and each gave nothing for the reason in its "
     "line.",
     "error[A203]: there are no AWS credentials\n= tried: environment: AWS_ACCESS_KEY_ID is not set\n"
     "= tried: IMDSv2: no answer from http://169.254.169.254",
     "Choose a profile with --profile, log in (aws sso login), or try the playbook in the simulated cloud with "
     "--sandbox."},
    {"A204", "a source of AWS credentials failed",
     "The configuration asks for this source, and it does not give credentials: a program failed, an endpoint did not "
     "answer, a role may not be assumed. No other source is tried in its stead: that would be another identity.",
     "error[A204]: profile prod: assuming arn:aws:iam::123456789012:role/deploy: AccessDenied",
     "The text says what went wrong there. `dosrun whoami` shows the sources in their order."},
    {"A205", "AWS refuses the credentials",
     "The service says that the keys are expired or not valid, and their source has no others. A run that gets there "
     "stops: what it changed stands, and undo is not tried with refused credentials.",
     "error[A205]: environment (AWS_ACCESS_KEY_ID) has no other keys than those that AWS refuses",
     "Get new keys (a new session, `aws sso login`), then `dosrun resume`."},
    {"A206", "the SSO login is over",
     "The profile is one of IAM Identity Center, and the token of its last login is missing, expired, or cannot be "
     "renewed any more.",
     "error[A206]: profile dev: the SSO login of session corp expired at 2030-01-01T08:00:00Z",
     "Run `aws sso login` with the profile shown, then the command again, or `dosrun resume`."},
    {"C601", "the kubeconfig cannot be used",
     "A file that KUBECONFIG or --context leads to is missing, is not YAML, or lacks a cluster, user or context that "
     "it "
     "refers to. Several files are merged as kubectl does: the first one that names a thing wins.",
     "error[C601]: ~/.kube/config: context \"prod\" names the user \"ops\", which no file defines",
     "Mend the file at the line shown, or choose another context with --context. `dosrun whoami` shows which files "
     "were read."},
    {"C602", "there is no such context or target",
     "--context names a context that no kubeconfig has, or --target a place that playbooks/targets.lua does not list.",
     "dosrun playbooks/deploy.lua doom --target prdo\nerror[C602]: there is no target \"prdo\"; did you mean \"prod\"?",
     "Use one of the names that the error lists."},
    {"C603", "this is another cluster than the target says",
     "The identity of the cluster (the uid of its namespace kube-system; for EKS account, region and name) is not the "
     "one in playbooks/targets.lua. Nothing was changed: a context that silently points elsewhere must not be acted "
     "on.",
     "prod = { kind = \"kube\", context = \"prod\", uid = \"6f1c...\" }   -- the cluster says 91aa...",
     "Run `dosrun whoami` to see where the context leads. If the cluster was built anew, write its uid into "
     "targets.lua."},
    {"C604", "playbooks/targets.lua is wrong",
     "The file does not load, a target has an unknown field or kind, or more than one is marked default.",
     "prod = { kind = \"kube\", contxt = \"prod\" }   -- did you mean context?",
     "Mend the file at the line shown; `dosrun check` tells whether it is right, offline."},
    {"C605", "the state folder cannot be used",
     "Journals and locks live in a folder that must belong to you with mode 0700, because they decide what is undone. "
     "It belongs to somebody else, is open to others, is a link, or the disk is full or read-only.",
     "error[C605]: /var/lib/dosrun belongs to root",
     "Choose a folder of your own with --state DIR or DOSRUN_STATE, or mend its owner and mode."},
    {"C606", "the EKS cluster cannot be used yet, or any more",
     "EKS says that the cluster is not ACTIVE: it is being made, deleted, or could not be made. Nothing was changed.",
     "error[C606]: cluster arn:aws:eks:eu-west-1:123456789012:cluster/dos-games is CREATING",
     "Wait until `aws eks describe-cluster --name dos-games --query cluster.status` says ACTIVE, then try again."},
    {"H301", "no cluster and no credentials were found",
     "No kubeconfig, no service account of a pod, and nothing else that leads to the target. The sandbox is never "
     "chosen silently.",
     "error[H301]: no cluster found\n   = looked: KUBECONFIG (not set), ~/.kube/config (missing)\n"
     "   = next:   dosrun --sandbox playbooks/deploy.lua doom",
     "Set KUBECONFIG or --context, or try the playbook in the simulated cloud with --sandbox."},
    {"H302", "the server's certificate was refused",
     "The certificate has expired, is for another name, or is not signed by the authority that the kubeconfig names. "
     "The server, and what it answers, cannot be trusted; nothing was sent.",
     "error[H302]: https://10.0.0.1:6443: the certificate is for \"kubernetes\", not \"10.0.0.1\"",
     "Set certificate-authority or tls-server-name in the kubeconfig. insecure-skip-tls-verify there counts only "
     "together with --insecure-skip-tls-verify."},
    {"H303", "the credentials were refused",
     "The server does not accept who we say we are (401), also after the source of the credentials was asked again. "
     "A run that gets there stops: what it changed stands, and undo is not tried with refused credentials.",
     "error[H303]: the token of user \"ops\" was refused after a refresh",
     "Log in again (for EKS: aws sso login), check with `dosrun whoami`, then `dosrun resume`."},
    {"H304", "it is not known whether a call acted",
     "A changing call was sent and its answer was lost. It may have acted, may still act, or not. dosrun looks at the "
     "resource until the kind's time bound has passed, and believes \"not found\" only then.",
     "in doubt: create Deployment dos-game/game-doom, until 12:04:31",
     "Nothing by hand. `dosrun resume` clears it up first and goes on."},
    {"H305", "the server cannot be reached",
     "No connection came about within the retries: the name has no address, nothing listens there, or the network is "
     "down.",
     "error[H305]: https://10.0.0.1:6443: connection refused (5 tries in 21s)",
     "Check network, VPN and the address in the kubeconfig, then `dosrun resume` if the run had begun."},
    {"H306", "the server kept asking to slow down",
     "Every try was answered 429 (or its kin), with the pauses that the server asked for, until the retry budget of "
     "the run was used up.",
     "error[H306]: PATCH deployments/game-doom: 429 TooManyRequests, 5 tries",
     "Run again later with fewer things side by side: --max-parallel 2."},
    {"K101", "another manager owns a field",
     "Server-side apply found that another field manager set the field to another value. dosrun does not take it "
     "silently: whoever set it would set it back, or lose it without knowing.",
     "error[K101]: Deployment dos-game/game-doom: spec.replicas is owned by \"kubectl\", written 3 days ago",
     "Either leave the field out of the manifest, or take it on purpose: kube.apply(..., { force = true }) for this "
     "object."},
    {"K102", "you may not do this in the cluster",
     "The API server knows you but your roles do not allow the request (403).",
     "error[K102]: user \"ci\" may not create deployments in namespace dos-game",
     "Give the role that the error names, or use another context. `kubectl auth can-i --list -n dos-game` lists what "
     "is "
     "allowed."},
    {"K103", "the cluster does not know this kind",
     "No API group of the cluster serves the kind: a CRD is missing, or its version is not served any more.",
     "error[K103]: manifests/platform/gateway.yaml:1: no kind VirtualService in networking.istio.io/v1",
     "Install what brings the kind first, or put its CRD in an earlier step; a CRD of the same run is waited for."},
    {"K104", "an object never became ready",
     "The wait ended before the object was ready: its time was over, or the wait became hopeless. Readiness is what "
     "the table in the manual says for the kind, e.g. all pods of a Deployment updated and available.",
     "error[K104]: game-civ never became ready; all players are still on doom\n"
     "   = waited: 5m for 2 pods of Deployment dos-game/game-civ, 1 was ready",
     "Read the cause: it is the newest event or log line of the object that did not come up."},
    {"K105", "an image cannot be pulled",
     "A pod stays in ErrImagePull or ImagePullBackOff: the tag does not exist, the registry refuses the node, or the "
     "name is misspelt. Waiting longer does not help, so the wait ended early.",
     "   = cause:  pod x7 cannot pull dos-games:civ: the registry has no such tag (12 s ago)",
     "Publish the image or mend its name; for private registries check imagePullSecrets."},
    {"K106", "a container keeps crashing",
     "A pod is in CrashLoopBackOff, or its container cannot be created or configured. The last lines of its log are "
     "shown with the error.",
     "   = log:    game-doom: missing environment variable DOS_BUNDLE",
     "Mend what the log says; `kubectl logs --previous` has all of it."},
    {"K107", "a pod fits on no node",
     "The scheduler finds no node for the pod: too little memory or CPU, taints, affinity, or a volume in another "
     "zone. The grace for nodes that are just coming up is over.",
     "   = cause:  0/3 nodes are available: 3 Insufficient memory",
     "Lower the requests, add nodes, or mend nodeSelector and tolerations."},
    {"K108", "an object does not go away",
     "The object is marked for deletion but a finalizer holds it: whoever put the finalizer there has not done its "
     "work.",
     "error[K108]: Namespace dos-game is held by finalizer \"example.com/cleanup\" of Widget dos-game/w1",
     "Bring back the controller that owns the finalizer. Removing a finalizer by hand can leave things behind outside "
     "the cluster."},
    {"K109", "the API server refuses the object",
     "The object breaks the schema, an immutable field would change, a quota is used up, or an admission webhook or "
     "Pod Security said no. The message is the server's own.",
     "error[K109]: StatefulSet dos-game/postgres: spec.serviceName is immutable",
     "Mend the manifest. For immutable fields the object must be replaced under a new name or deleted first."},
    {"K110", "a foreign thing is in the way",
     "An object of that name exists and was not made by dosrun. It is never touched by accident.",
     "error[K110]: Service dos-game/stats-api exists; its manager is \"helm\"",
     "Give yours another name, remove the other one, or take it over on purpose: --adopt 'Service "
     "dos-game/stats-api'."},
    {"K111", "a route leads nowhere",
     "The API server takes any VirtualService that has the right form. Whether its destinations are Services that "
     "exist, whether a subset is one of a DestinationRule, and whether the weights add up to 100 is checked by dosrun "
     "before it moves anybody: players sent there would get 503.",
     "error[K111]: VirtualService dos-game/games, route game: no Service dos-game/game-civ",
     "Deploy what the route leads to first: dosrun playbooks/deploy.lua civ; or mend the VirtualService."},
    {"K112", "a gate failed",
     "After each step of moving the players the gate asks whether the new version does well. It does not, so the run "
     "ends here and the weights go back to what they were.",
     "error[K112]: route game, 30 % on civ: 4 of 10 pages were not as they should be: 503 no healthy upstream",
     "Look into the new version's pods and logs: kubectl -n dos-game logs deployment/game-civ."},
    {"K113", "the gateway does not answer as it should",
     "The page behind the ingress gateway was asked many times and never had the title that the deployed game has, or "
     "the gateway has no address yet.",
     "error[K113]: http://203.0.113.7/ never had the title DOOM (60 times in 5m); last: 503 no healthy upstream",
     "Check the Gateway, the VirtualService and the ingress gateway's Service in istio-system."},
    {"M501", "a manifest is not valid YAML",
     "The file cannot be read: indentation, an unclosed quote, a duplicate key, or a tag or depth that is refused.",
     "error[M501]: manifests/platform/game.yaml:14: the key \"image\" is there twice",
     "Mend the line shown; `dosrun check` reads all manifests, offline."},
    {"M502", "a manifest uses a value that is not given",
     "A ${name} in the manifest has no value from the playbook, the target or --set. $${ stands for a literal ${.",
     "error[M502]: manifests/platform/game.yaml:9: no value for ${image}; did you mean ${imgae}?",
     "Hand the value in: kube.apply(file, { image = ... }), values of the target, or --set image=..."},
    {"M503", "a value is used by no manifest",
     "A value was handed to a manifest that has no ${name} for it: a typing error would otherwise go unseen.",
     "kube.apply(\"game.yaml\", { imgae = \"...\" })   -- game.yaml says ${image}",
     "Mend the name or leave the value out."},
    {"M504", "a manifest has no usable kind",
     "A document lacks apiVersion, kind or metadata.name, or its kind is none that dosrun or the cluster knows.",
     "error[M504]: manifests/platform/game.yaml:1: no kind \"Deploymnet\"; did you mean \"Deployment\"?",
     "Mend the line shown."},
    {"R201", "the target is locked", "Another run is acting on the target. Two at once would undo each other's work.",
     "error[R201]: prod is locked by run 20300101-a1 of anna@build7, since 12:01:10",
     "Wait with --lock-wait 5m. If its machine is gone, --take-over takes the lock once it has expired; that run's "
     "undo data are lost unless its journal is here."},
    {"R202", "the target has an unfinished run",
     "An earlier run was interrupted or stopped, and what it changed stands. A new run on top could not be undone "
     "cleanly.",
     "error[R202]: run 20300101-a1 on prod is unfinished: step \"game\" failed, 3 changes stand\n"
     "   = next:   dosrun resume 20300101-a1",
     "One of three: `dosrun resume` goes on, `dosrun rollback` undoes it, `dosrun abandon RUN` keeps what stands."},
    {"R203", "the journal is damaged",
     "A line of the journal does not fit its checksum or the line before it. A torn end is normal after a power loss; "
     "damage in the middle is not, and nothing is acted upon.",
     "error[R203]: line 212: the checksum does not match",
     "Restore the file from a backup, or `dosrun abandon RUN`; destroy and drift work from the inventory in the "
     "target, without the journal."},
    {"R204", "the journal is of a newer format",
     "A newer dosrun wrote it. This one could misread it, so it does not try.",
     "error[R204]: format 2.0; this dosrun reads up to 1.0", "Use the dosrun that wrote it, or a newer one."},
    {"R205", "rollback left something",
     "Something could not be put back: others changed it since, it holds foreign things, or undoing it failed. All "
     "else "
     "was undone (exit 4).",
     " ✗ left Deployment dos-game/game-doom: spec.replicas was set by \"kubectl\" since",
     "Look at each thing listed. `dosrun rollback RUN` may be run again once the cause is gone."},
    {"R206", "the run was stopped from outside",
     "Ctrl-C, SIGTERM, a crash or a full disk. No new call was started; what was done is in the journal.",
     "stopped: 3 changes stand", "`dosrun resume` goes on, `dosrun rollback` undoes what was done."},
    {"R207", "a question could not be asked",
     "The step drops data or touches a protected target, which must be agreed to, and there is no terminal to ask on.",
     "error[R207]: destroy drops PersistentVolumeClaim dos-game/pg-data; say --yes",
     "Read `dosrun plan`, then give --yes; for protected targets --yes=NAME with the target's name."},
    {"R208", "a playbook may not do what cannot be undone",
     "A verb of class \"pivot\" (deleting data, say) was about to act in a playbook that does not declare pivots. Such "
     "playbooks are asked for before their first step, so that nobody meets them by surprise.",
     "dosrun.playbook { \"cleanup\", pivots = true, on_failure = \"stop\" }",
     "Declare pivots = true in the playbook; its runs then need --yes or an answer at the terminal."},
    {"R209", "the run is past a point of no return",
     "A verb of class \"pivot\" acted: data was deleted, or something else that nothing brings back. Undoing what came "
     "before it would leave a place that never was, so such a run only goes forward or stays as it is.",
     "dosrun rollback r7-1f33c0\nerror[R209]: run r7-1f33c0 did something that cannot be undone",
     "`dosrun resume` goes on with it. If it is to stay as it is, `dosrun abandon RUN --yes`; a new deploy makes anew "
     "what "
     "it removed, without the data."},
    {"S401", "a changing call outside a verb",
     "A playbook sent something that may change the world outside a verb's act, where it would be neither journalled "
     "nor undone. The engine refused it; nothing was sent.",
     "local note = dosrun.verb { \"note\", class = \"reversible\", key = ..., look = ..., want = ...,\n"
     "  act = function(i) kube.patch(\"ConfigMap\", \"dos-game/note\", { data = i }) end, undo = ... }",
     "Wrap it in a verb as the example shows. Programs that only read are declared so: process.run{..., reads = "
     "true}."},
    {"S402", "waiting inside string.gsub, table.sort or an iterator",
     "Lua cannot suspend a function that C code has called, as the callback of string.gsub or the comparison of "
     "table.sort. A call that waits (an HTTP request, a process, a read) cannot happen there.",
     "local texts = {}\nfor name in text:gmatch(\"%w+\") do texts[#texts + 1] = fetch(name) end",
     "Collect first, then wait in a plain loop, as the example does."},
    {"S403", "an undeclared global",
     "A name was read or set that nobody declared. Most of the time it is a typing error or a missing local.",
     "error[S403]: there is no global \"dosrum\"; did you mean \"dosrun\"?", "Mend the name or write local before it."},
    {"S404", "a wrong argument",
     "A playbook, verb or function got an argument that is missing, unknown, of the wrong type, or none of its "
     "choices.",
     "dosrun playbooks/deploy.lua dom\nerror[S404]: game: there is no \"dom\"; did you mean \"doom\"?",
     "See what it takes: `dosrun playbooks/deploy.lua --help`."},
    {"S405", "a value that is known only after a step",
     "In a plan some values are not known yet. They may be handed on and put into texts, but a real request cannot be "
     "made of them.",
     "kube.get(\"Pod\", from.image.name)   -- (known after step image)",
     "Ask first: if dosrun.known(v) then ... end; the plan then says where it may be wrong."},
    {"S406", "the playbook used up its memory",
     "The playbook's values grew beyond the memory limit, most of the time by a loop that never ends.",
     "while true do list[#list + 1] = text end", "Mend the loop at the line shown."},
    {"S407", "the playbook held the program for too long",
     "Lua ran for 10 s without waiting for anything. The process ended itself (exit 70); the journal is whole.",
     "string.find(text, \"a*a*a*a*a*a*b\")   -- runs for minutes",
     "Mend the loop or pattern, then `dosrun resume --edited`."},
    {"S408", "the playbook does not load",
     "The file has a syntax error, is not text, lacks `return` of its playbook, or a module that it requires is "
     "missing.",
     "error[S408]: playbooks/deploy.lua:12: 'end' expected (to close 'function' at line 9)",
     "Mend the line shown; `dosrun check` tells whether it is right."},
    {"S409", "a table of the engine cannot be changed",
     "Lua's libraries, dosrun's own tables and the table of globals are read-only, and so are their metatables; "
     "finalizers (__gc) are refused.",
     "error[S409]: string.len cannot be set: string is read-only",
     "Write a function of your own and share it through a file below lib/."},
    {"S410", "a room was named too late",
     "Whether a run needs a cluster and its lock is known from what the playbook names while it loads. This one took "
     "kube, "
     "istio or image inside a step only.",
     "local kube = dosrun.kube   -- at the top of the file", "Name the room at the playbook's top."},
    {"X701", "a program was not found",
     "The playbook runs a program, or the kubeconfig asks one for a token, and PATH has none of that name.",
     "error[X701]: there is no program \"docker\" in PATH",
     "Install it or mend PATH; `dosrun doctor` lists what a project needs."},
    {"X702", "a program failed",
     "A child process ended with another status than 0, or did not end in time. The last lines that it wrote are "
     "shown.",
     "error[X702]: docker build ended with status 1: no such file: Dockerfile",
     "Run the same command by hand in the project's folder."},
};

const size_t explain_table_len = sizeof(explain_table) / sizeof(explain_table[0]);
