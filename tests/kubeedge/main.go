// Reads KubeEdge's configurations with KubeEdge's own types and prints all of what they mean, defaults among it:
//
//	kubeedge edgecore FILE     as edgecore reads it, which passes over what it does not know
//	kubeedge edgecore - <FILE  the same, where every key has to be known
//	kubeedge cloudcore …       the same two
//	kubeedge join SET…         what `keadm join --set SET…` writes
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	cloudcore "github.com/kubeedge/api/apis/componentconfig/cloudcore/v1alpha1"
	cloudcorerules "github.com/kubeedge/api/apis/componentconfig/cloudcore/v1alpha1/validation"
	edgecore "github.com/kubeedge/api/apis/componentconfig/edgecore/v1alpha2"
	edgecorerules "github.com/kubeedge/api/apis/componentconfig/edgecore/v1alpha2/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	keadm "kubeedge/keadm"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) < 2 {
		return errors.New("usage: kubeedge edgecore|cloudcore FILE|-, kubeedge join SET…")
	}
	var config any
	var err error
	switch arguments[0] {
	case "edgecore":
		edge := edgecore.NewDefaultEdgeCoreConfig()
		config, err = edge, read(arguments[1], edge, edge.Parse)
		if err == nil {
			err = refused(edgecorerules.ValidateModuleEdged(*edge.Modules.Edged), edgecorerules.ValidateModuleEdgeHub(*edge.Modules.EdgeHub))
		}
	case "cloudcore":
		cloud := cloudcore.NewDefaultCloudCoreConfig()
		config, err = cloud, read(arguments[1], cloud, cloud.Parse)
		if err == nil {
			err = refused(cloudcorerules.ValidateCommonConfig(*cloud.CommonConfig))
		}
	case "join":
		edge := edgecore.NewDefaultEdgeCoreConfig()
		config = edge
		for _, set := range arguments[1:] {
			err = errors.Join(err, keadm.ParseSet(edge, set))
		}
	default:
		err = fmt.Errorf("no configuration is called %s", arguments[0])
	}
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(config)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(text)
	return err
}

// read fills the defaults in config with a file as the program itself would, or strictly with stdin.
func read(file string, config any, parse func(string) error) error {
	if file != "-" {
		return parse(file)
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	return yaml.UnmarshalStrict(text, config)
}

// refused is what the program would refuse to start with. The rules that look for files on this host are left out.
func refused(rules ...field.ErrorList) error {
	var all field.ErrorList
	for _, list := range rules {
		all = append(all, list...)
	}
	if err := all.ToAggregate(); err != nil {
		return err
	}
	return nil
}
